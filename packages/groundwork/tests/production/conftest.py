"""Fixtures for tests of production on one machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from packages.groundwork.tests.production import nginx
from packages.groundwork.tests.production.nginx import Proxy
from packages.groundwork.tests.production.running_stack import Stack, clear, make_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield a running stack with two replicas, for tests that restore its state.

    Starting it takes long, so all modules share it. They run in the order of their names; keep this order of the tests.
    """
    stack = make_stack(tmp_path_factory.mktemp("production"))
    try:
        stack.ok("prod.up", "--web", "2")
        yield stack
    finally:
        clear(stack)


@pytest.fixture
def new_stack(tmp_path: Path) -> Iterator[Stack]:
    """Yield a stack that is not up yet."""
    stack = make_stack(tmp_path)
    yield stack
    clear(stack)


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Yield an nginx without a replica, one for each module, since limits per address last longer than a test."""
    with nginx.running() as started:
        yield started
