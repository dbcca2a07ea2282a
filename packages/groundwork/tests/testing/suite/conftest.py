"""Fixtures for tests of whole test runs."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork.system import paths
from groundwork.testing import embedded, server_lifecycle
from packages.groundwork.tests.conftest import Clone, make_clone
from packages.groundwork.tests.testing.suite.runs import Run, data_of, run_pytest


@pytest.fixture(scope="session")
def archive() -> Path:
    """Return the archive of a migrated server, built once for all clones."""
    kind = embedded.Embedded(server_lifecycle.settings(), "the clones have no engine")
    server_lifecycle.make(kind)
    return kind.archive


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Clone:
    """Return one clone for all tests of this folder, because a new clone would recompile all modules."""
    shared = make_clone(tmp_path_factory.mktemp("suite"))
    for part in (paths.LOCAL / "secrets" / "testing", archive.parent):
        shutil.copytree(part, shared.folder / part.relative_to(paths.ROOT))
    shutil.rmtree(shared.folder / "tests" / "app")
    return shared


@pytest.fixture
def clone(shared: Clone) -> Iterator[Clone]:
    """Yield the clone in its original state, with compiled files. Fail if processes are left running."""
    shutil.copytree(paths.ROOT / "alembic", shared.folder / "alembic", dirs_exist_ok=True)
    for left in (*(shared.folder / "tests").glob("test_?.py"), shared.folder / "sleeping"):
        left.unlink(missing_ok=True)
    yield replace(shared, environment=dict(shared.environment))
    running = shared.processes()
    for process in running:
        process.kill()
    assert not running, "something was left running"


@pytest.fixture
def run(clone: Clone) -> Iterator[Run]:
    """Yield a function that runs test modules with the project's conftest. Fail if data is left in memory."""

    def run(*modules_and_options: str, before: list[str] | None = None) -> "subprocess.CompletedProcess[str]":
        return run_pytest(clone, *modules_and_options, before=before)

    yield run
    assert data_of(clone) == []


@pytest.fixture
def stop(clone: Clone, run: Run) -> Iterator[None]:
    yield
    clone.inv("test", "--stop")
