"""What tests of terraform/ ask for."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import run
from tests.terraform import life as lives
from tests.terraform import provider
from tests.terraform.stack import Outcome

LIFE = "life"
PROCESS = pytest.StashKey[subprocess.Popen[bytes]]()


@pytest.fixture(scope="session")
def life(request: pytest.FixtureRequest) -> Callable[[str], Outcome]:
    """What came of a step of it, once it is over."""
    folder = _folder(request.config)
    return lambda step: lives.wait_for(folder, step)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let it begin now, where a test will ask for it: it needs minutes, and little of the machine."""
    wanted = any(LIFE in getattr(item, "fixturenames", ()) for item in session.items)
    if not wanted or session.config.option.collectonly or provider.why_none():
        return
    if process := lives.begin(_folder(session.config)):
        session.config.stash[PROCESS] = process


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Wherever it is, before its folder goes."""
    if PROCESS in config.stash:
        lives.end(config.stash[PROCESS])


def _folder(config: pytest.Config) -> Path:
    return config.stash[run.FOLDER] / LIFE
