"""`inv lint` and the hooks that call it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from groundwork.tasks import lint

PASSES, FAILS = shell.python("platform"), shell.python("no_such_module")


def test_all_that_is_wrong_is_found_at_once(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(lint, "CHECKS", {"one": FAILS, "two": PASSES, "three": FAILS})

    with pytest.raises(Exit, match="failed: one, three") as ended:
        lint.lint.body(None)

    assert ended.value.code == 1
    assert len(capfd.readouterr().out.splitlines()) == 1  # what `two` says


@pytest.mark.parametrize("passes", [True, False])
def test_the_hook_is_that_task_and_holds_up_what_does_not_pass(repository: Path, passes: bool) -> None:
    (repository / "inv").write_text(f'#!/bin/sh\necho "called: $*" >>called\nexit {int(not passes)}\n')
    (repository / "inv").chmod(0o755)
    git(repository, "add", ".")

    installed = run(repository, *shell.python("prek", "install"))
    committed = run(repository, "git", "commit", "--quiet", "--message", "a change")

    assert installed.returncode == 0, installed.stderr
    assert (committed.returncode == 0) is passes, committed.stderr
    assert (repository / "called").read_text() == "called: lint\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with the project's hooks."""
    shutil.copy2(paths.ROOT / ".pre-commit-config.yaml", tmp_path)
    git(tmp_path, "init", "--quiet")
    for key, value in {"user.name": "Somebody", "user.email": "somebody@example.com"}.items():
        git(tmp_path, "config", key, value)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    assert run(folder, "git", *arguments).returncode == 0


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PREK_HOME": str(folder / ".git" / "prek")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
