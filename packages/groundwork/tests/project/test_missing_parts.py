"""Projects that lack a part: what needs it says so in one line."""

import sys
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.tasks import task

from groundwork.cloud import account, terraform
from groundwork.configuration import loader
from groundwork.parity import compose as compose_parity
from groundwork.parity.settings import Unavailable
from groundwork.postgresql import servers
from groundwork.production import stack
from groundwork.scenarios import catalog, project, workspace
from groundwork.system.errors import Exit
from groundwork.tasks import scenario
from groundwork.tasks.program import Program

NO_SCENARIOS = "^scenarios/: this project has no scenarios: add the first as a module there$"
NO_STACK = r"^compose/production\.yml: there is no such file, so this project has no production stack on one machine$"


@pytest.fixture
def without_scenarios(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "FOLDER", checkout / "scenarios")


@pytest.mark.usefixtures("without_scenarios")
def test_without_scenarios_their_tasks_say_so() -> None:
    for ask in (lambda: catalog.find("orders"), catalog.first_with_size, lambda: scenario.list_all.body(None)):
        with pytest.raises(Exit, match=NO_SCENARIOS):
            ask()


@pytest.mark.usefixtures("without_scenarios")
def test_without_scenarios_a_new_database_stays_empty() -> None:
    workspace.load_starter(loader.load("development", environ={}))


def test_without_scenarios_of_variable_size_a_rehearsal_wants_a_name(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "scenarios").mkdir()
    (checkout / "scenarios" / "starter.py").touch()
    monkeypatch.setattr(project, "FOLDER", checkout / "scenarios")

    with pytest.raises(Exit, match=r"^scenarios/: no scenario has a SIZE: choose one with --name$"):
        catalog.first_with_size()


@pytest.mark.usefixtures("checkout")
def test_without_a_compose_file_development_uses_the_embedded_server() -> None:
    server, reason = servers.choose(loader.load("development", environ={}))

    assert (server.in_container, reason) == (False, "since there is no compose/development.yml")


@pytest.mark.usefixtures("checkout")
def test_without_a_compose_file_there_is_no_production_stack() -> None:
    with pytest.raises(Exit, match=NO_STACK):
        stack.load()


@pytest.mark.usefixtures("checkout")
def test_without_a_compose_file_its_settings_are_not_compared() -> None:
    with pytest.raises(Unavailable, match=NO_STACK):
        compose_parity.read(loader.load("production", environ={}, missing_secrets="show"))


@pytest.mark.usefixtures("checkout")
def test_without_terraform_the_tasks_for_aws_say_so() -> None:
    with pytest.raises(Exit, match=r"^terraform/: there is no such folder, so this project has nothing to run on AWS$"):
        terraform.require()


def test_without_the_extra_a_task_names_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)

    @task
    def status(_: object) -> None:
        account.session("eu-central-1")

    with pytest.raises(SystemExit):
        Program(Collection(status)).run(["inv", "status"])

    said = capsys.readouterr().err
    assert said == "boto3 is not installed: add flask-groundwork[aws] to the dependencies of development\n"
