"""Editor settings of the project: their targets exist."""

import json
import subprocess
from typing import Any

import pytest

from groundwork.system import paths, shell
from tasks import namespace

A_FILE_OF_TESTS = "packages/groundwork/tests/flask/http/test_pagination.py"


def test_a_breakpoint_in_the_service_needs_it_to_be_a_process_of_this_machine() -> None:
    """The debugger cannot reach the service in a container."""
    launched = launches()["inv dev"]

    assert launched["module"] == "invoke"
    assert set(launched["args"]) <= set(namespace.task_names)
    assert launched["env"] == {"DOCKER_HOST": "unix:///nowhere"}


def test_the_tests_of_a_file_are_run_as_the_editor_does() -> None:
    launched = launches()["the tests of this file"]
    arguments = [argument.replace("${file}", A_FILE_OF_TESTS) for argument in launched["args"]]

    finished = subprocess.run(
        shell.python(launched["module"], *arguments), cwd=paths.ROOT, capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stdout


def test_the_editor_finds_tests_where_they_are() -> None:
    assert all((paths.ROOT / place).is_dir() for place in read(".vscode/settings.json")["python.testing.pytestArgs"])


@pytest.mark.parametrize(
    "path", [path for path in paths.CONFIG.iterdir() if path.name != "schema.json"], ids=lambda path: path.name
)
def test_a_configuration_names_the_schema_by_which_it_is_completed(path: Any) -> None:
    assert (path.parent / json.loads(path.read_text("utf-8"))["$schema"]).samefile(paths.CONFIG / "schema.json")


def test_the_container_has_the_same_extensions_and_begins_with_a_task_that_there_is() -> None:
    container = read(".devcontainer/devcontainer.json")

    assert container["customizations"]["vscode"]["extensions"] == read(".vscode/extensions.json")["recommendations"]
    assert container["postCreateCommand"] == "./inv --list"


def launches() -> dict[str, Any]:
    return {each["name"]: each for each in read(".vscode/launch.json")["configurations"]}


def read(path: str) -> Any:
    return json.loads((paths.ROOT / path).read_text("utf-8"))
