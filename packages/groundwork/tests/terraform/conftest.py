"""Fixtures for tests of terraform/."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from groundwork.testing import run
from packages.groundwork.tests.terraform import life as lives
from packages.groundwork.tests.terraform import provider
from packages.groundwork.tests.terraform.stack import Outcome

LIFE = "life"
PROCESS = pytest.StashKey[subprocess.Popen[bytes]]()


@pytest.fixture(scope="session")
def life(request: pytest.FixtureRequest) -> Callable[[str], Outcome]:
    """Return a function that waits for a step of the life cycle and returns its outcome."""
    folder = _folder(request.config)
    return lambda step: lives.wait_for(folder, step)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the life cycle if a test needs it, because it takes minutes and little CPU."""
    wanted = any(LIFE in getattr(item, "fixturenames", ()) for item in session.items)
    if not wanted or session.config.option.collectonly or provider.why_none():
        return
    if process := lives.begin(_folder(session.config)):
        session.config.stash[PROCESS] = process


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the life cycle before its folder is deleted."""
    if PROCESS in config.stash:
        lives.end(config.stash[PROCESS])


def _folder(config: pytest.Config) -> Path:
    return config.stash[run.FOLDER] / LIFE
