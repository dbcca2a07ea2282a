"""The table `[tool.groundwork]` of a project, and how the tools find it."""

import importlib
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from groundwork import contract
from groundwork.contract import InvalidProject, Project

EMPTY = '[project]\nname = "corner-shop"\n\n[tool.groundwork]\n'
ASK = "from groundwork import contract; print(contract.ROOT)"


def test_the_project_is_the_nearest_folder_upwards_that_has_the_table(tmp_path: Path) -> None:
    inner = write(tmp_path / "outer" / "inner", EMPTY)
    write(tmp_path / "outer", EMPTY)
    write(inner / "packages" / "a package", '[project]\nname = "another"\n')

    assert contract.find_root(inner / "packages" / "a package") == inner


def test_a_folder_outside_of_every_project_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidProject, match=r"^\S+: neither this folder nor one above it has .*\[tool\.groundwork\]$"):
        contract.find_root(tmp_path)


def test_a_file_that_is_no_toml_is_refused_with_its_path(tmp_path: Path) -> None:
    write(tmp_path, "[tool.groundwork\n")

    with pytest.raises(InvalidProject, match=r"^\S+/pyproject\.toml: .*line 1"):
        contract.find_root(tmp_path)


def test_an_empty_table_has_the_defaults_and_the_name_of_the_project(tmp_path: Path) -> None:
    assert contract.load(write(tmp_path, EMPTY)) == Project("corner-shop")


def test_an_entry_replaces_its_default(tmp_path: Path) -> None:
    root = write(tmp_path, EMPTY + 'name = "shop"\nscenarios = "src.stories"\n')

    assert contract.load(root) == Project("shop", scenarios="src.stories")


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    root = write(tmp_path, "[tool.groundwork]\ndatabase = 5\nscenario = 'stories'\n")

    with pytest.raises(InvalidProject) as refused:
        contract.load(root)

    known = ", ".join(each.name for each in fields(Project))
    assert str(refused.value).splitlines() == [
        f"{root}/pyproject.toml: tool.groundwork.name: is missing, and so is project.name",
        f"{root}/pyproject.toml: tool.groundwork.database: should be a text, got 5",
        f"{root}/pyproject.toml: tool.groundwork.scenario: is unknown; use one of {known}",
    ]


def test_outside_of_a_project_the_tools_end_with_one_line(tmp_path: Path) -> None:
    asked = ask(tmp_path, "-c", ASK)

    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr.startswith(f"{tmp_path}: neither this folder nor one above it has a pyproject.toml")
    assert asked.stderr.count("\n") == 1


def test_a_tasks_file_that_runs_in_another_project_works_on_its_own(tmp_path: Path) -> None:
    mine, other = write(tmp_path / "mine", EMPTY), write(tmp_path / "other", EMPTY)
    (mine / "tasks.py").write_text(ASK)

    asked = ask(other, str(mine / "tasks.py"))

    assert asked.stdout == f"{mine}\n", asked.stderr


@pytest.mark.parametrize("name", ["nosuch", "nosuch.traffic:Load", "scenarios.nosuch"])
def test_a_module_that_the_project_lacks_is_named_in_one_line(name: str) -> None:
    with pytest.raises(InvalidProject, match=r"^[a-z.]+: the project has no such module: add it, or name another in "):
        contract.import_part(name)


@pytest.mark.parametrize("entry", ["application", "database", "configuration", "scenarios", "calls", "traffic"])
def test_this_project_has_what_each_entry_names(entry: str) -> None:
    module, _, name = getattr(contract.PROJECT, entry).partition(":")

    loaded = importlib.import_module(module)

    assert hasattr(loaded, name or "__name__")


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text)
    return folder


def ask(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
