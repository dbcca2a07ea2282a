"""Fixtures for tests of scenarios, and tasks that run in the process of the tests."""

import shutil
from collections.abc import Iterator

import pytest
from invoke.context import Context

from groundwork.postgresql import database
from groundwork.scenarios import server as scenario_server
from groundwork.scenarios import workspace
from groundwork.tasks import scenario
from packages.groundwork.tests.conftest import ROOT, Clone, end_what_runs, make_clone

Captured = pytest.CaptureFixture[str]


def up(capfd: Captured, name: str, **options: str) -> str:
    """Run `inv scenario` in this process and return its output."""
    scenario.up(Context(), name=name, **options)
    return capfd.readouterr().out


def listed(capfd: Captured) -> str:
    scenario.list_all(Context())
    return capfd.readouterr().out


def databases(name: str) -> list[str]:
    """Return the databases of a scenario's server, which is started if necessary."""
    with workspace.exclusive(name) as scenario, database.connect(scenario.configuration) as connection:
        return [str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Return one clone for the tests of a module, so that loaded data is there for later tests."""
    return make_clone(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def shop(shared: Clone, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clone]:
    """Yield the shared clone with its loaded data. Afterwards, stop all servers and restore the stories."""
    shared.enter(monkeypatch)
    yield shared
    for server, _port in scenario_server.all_running().values():
        server.stop()
    shutil.rmtree(shared.folder / "scenarios")
    shutil.copytree(ROOT / "scenarios", shared.folder / "scenarios")
    end_what_runs(shared)
