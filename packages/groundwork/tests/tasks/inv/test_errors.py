"""Errors of `./inv`: one line with the cause and the remedy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from packages.groundwork.tests.tasks.inv.launcher import command as _command
from packages.groundwork.tests.tasks.inv.launcher import inv as _inv


def test_an_old_python_is_named_with_the_remedy(folder: Path) -> None:
    _command(folder, "python3", 'case "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac')

    refused = _inv(folder)

    assert refused.returncode == 1
    assert _complaint(refused) == (
        "inv: needs Python 3.11 or newer, found Python 3.9.2; install one, or name it: PYTHON=/path/to/python3 ./inv"
    )


def test_no_python_at_all_is_said(folder: Path) -> None:
    assert "needs Python 3.11 or newer, found none" in _complaint(_inv(folder))


@pytest.mark.parametrize(
    ("python", "complaint"),
    [
        ("/nowhere", "inv: PYTHON=/nowhere: there is no such program"),
        ("old", "inv: PYTHON=old: needs Python 3.11 or newer, found Python 3.9.2"),
    ],
)
def test_a_python_that_was_named_and_cannot_be_used_is_said(folder: Path, python: str, complaint: str) -> None:
    _command(folder, "python3", "exit 0")
    _command(folder, "old", 'case "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac')

    refused = _inv(folder, variables={"PYTHON": python})

    assert refused.returncode == 1
    assert _complaint(refused) == complaint


@pytest.mark.parametrize("character", [":", "%", '"', "$", "`", "\\"])
def test_a_path_that_a_tool_cannot_have_is_one_line_with_the_character(folder: Path, character: str) -> None:
    moved = folder / f"a{character}b"
    moved.mkdir()
    shutil.copy(folder / "inv", moved)

    refused = subprocess.run([moved / "inv"], env={"PATH": str(folder / "path")}, capture_output=True, text=True)

    assert refused.returncode == 1
    assert refused.stderr == (
        f"inv: {moved}: the path has a '{character}', which venv, Alembic or initdb cannot have in it; "
        "rename the folder\n"
    )
    assert not (moved / ".local").exists()


def test_a_checkout_that_cannot_be_written_is_one_line(folder: Path) -> None:
    (folder / ".local").touch()  # stands for a read-only file system, which root is not kept from writing to

    refused = _inv(folder)

    assert refused.returncode == 1
    assert refused.stderr == f"inv: cannot write to {folder}/.local: use a checkout of your own that can be written\n"


def test_a_missing_venv_module_is_named_with_the_remedy(folder: Path) -> None:
    _command(folder, "python3", 'case "$1" in -c) exit 0 ;; *) echo "No module named venv" >&2; exit 1 ;; esac')

    refused = _inv(folder)

    assert refused.returncode == 1
    assert _complaint(refused) == (
        "inv: python3 has no working venv module; install it (on Debian and Ubuntu: apt install python3-venv)"
    )


def test_no_network_is_said_in_one_line_and_the_details_are_kept(folder: Path) -> None:
    closed = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}

    refused = _inv(folder, variables={"PYTHON": sys.executable, **closed})

    log = folder / ".local" / "install.log"
    assert refused.returncode == 1
    assert _complaint(refused).startswith("inv: could not install uv 0.0.7: ERROR: ")
    assert str(log) in _complaint(refused)
    assert "uv==0.0.7" in log.read_text()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("error: no route to host", "error: no route to host"),
        ("warning: slow\nerror: no index\n  cause: closed", "error: no index; cause: closed"),
        ("error: first\nerror: second\nhint: look there", "error: second"),
        ("  × No solution found", "× No solution found"),
        ("", "no reason given"),
    ],
)
def test_a_lock_that_cannot_be_installed_is_said_in_one_line_with_the_last_error(
    folder: Path, said: str, shown: str
) -> None:
    _command(folder, "uv", f"printf '%s\\n' '{said}' >&2; exit 2")

    refused = _inv(folder)

    assert refused.returncode == 1
    log = folder / ".local" / "install.log"
    assert _complaint(refused) == f"inv: could not install what uv.lock names: {shown} ({log} has the details)"
    assert log.read_text() == f"{said}\n"


def _complaint(refused: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line of stderr, which follows the line that announces the installation."""
    announced, *rest = refused.stderr.splitlines()
    assert announced.startswith("inv: installing")
    assert len(rest) == 1
    return rest[0]
