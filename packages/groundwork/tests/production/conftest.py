"""Fixtures for tests of production on one machine."""

from collections.abc import Iterator

import pytest

from packages.groundwork.tests.production import nginx
from packages.groundwork.tests.production.nginx import Proxy


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Yield an nginx without a replica, one for each module, since limits per address last longer than a test."""
    with nginx.running() as started:
        yield started
