"""Installation by `./inv`: once, again after changes, and in checkouts that move or have unusual paths."""

import shutil
import subprocess
from pathlib import Path

import pytest

from packages.groundwork.tests.tasks.inv.launcher import UV
from packages.groundwork.tests.tasks.inv.launcher import command as _command
from packages.groundwork.tests.tasks.inv.launcher import inv as _inv


def test_installs_once_then_hands_over_arguments_and_exit_code(folder: Path, uv: Path) -> None:
    first, second = _inv(folder, "db.migrate", "--flag"), _inv(folder, "db.migrate", "--flag")

    assert "installing what uv.lock names" in first.stderr
    assert second.stderr == ""
    assert first.stdout == second.stdout == f"{folder}/tasks.py db.migrate --flag\n"
    assert (first.returncode, second.returncode) == (7, 7)
    assert uv.read_text().count("sync") == 1


def test_installs_again_when_the_lock_changed(folder: Path, uv: Path) -> None:
    _inv(folder)
    (folder / "uv.lock").write_text("another")

    _inv(folder)

    assert uv.read_text().count("sync") == 2


def test_an_installation_that_was_cut_short_is_done_again(folder: Path, uv: Path) -> None:
    _inv(folder)
    (folder / ".venv" / "uv.lock").unlink()

    _inv(folder)

    assert uv.read_text().count("sync") == 2


def test_a_checkout_that_was_moved_gets_an_environment_that_knows_its_new_place(folder: Path, uv: Path) -> None:
    _inv(folder)
    (folder / ".venv" / "left-over").touch()
    moved = folder.rename(folder.with_name("moved"))

    _inv(moved)

    assert not (moved / ".venv" / "left-over").exists()
    assert uv.read_text().count("sync") == 2


def test_a_python_that_is_gone_is_noticed(folder: Path, uv: Path) -> None:
    _inv(folder)
    python = folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")

    _inv(folder)

    assert uv.read_text().count("sync") == 2


def test_works_from_another_folder(folder: Path, uv: Path, tmp_path: Path) -> None:
    _inv(folder)

    assert _inv(folder, "--list", cwd=tmp_path).stdout == f"{folder}/tasks.py --list\n"


def test_in_an_active_environment_it_is_the_same(folder: Path, uv: Path, tmp_path: Path) -> None:
    _inv(folder)

    typed = subprocess.run([folder / ".venv" / "bin" / "inv", "--list"], cwd=tmp_path, capture_output=True, text=True)

    assert (typed.stdout, typed.returncode) == (f"{folder}/tasks.py --list\n", 7)


@pytest.mark.skipif(shutil.which("flock") is None, reason="needs flock")
def test_of_two_at_once_one_installs_and_the_other_waits(folder: Path, uv: Path) -> None:
    (folder / "path" / "flock").symlink_to(str(shutil.which("flock")))
    uv_that_waits = UV.removeprefix("#!/bin/sh\n").replace("mkdir", "sleep 0.3; mkdir", 1)
    _command(folder, "uv", uv_that_waits.format(calls=uv))
    (folder / "path" / "sleep").symlink_to(str(shutil.which("sleep")))
    command, environment = [folder / "inv"], {"PATH": str(folder / "path")}

    with subprocess.Popen(command, env=environment) as one, subprocess.Popen(command, env=environment) as other:
        assert (one.wait(30), other.wait(30)) == (7, 7)

    assert uv.read_text().count("sync") == 1


def test_any_other_path_is_fine(folder: Path, uv: Path) -> None:
    moved = folder.rename(folder.with_name("it's a (c&o;p*y) [é] #~"))

    assert _inv(moved, "--list").stdout == f"{moved}/tasks.py --list\n"
    typed = subprocess.run([moved / ".venv" / "bin" / "inv", "--list"], capture_output=True, text=True)
    assert (typed.stdout, typed.returncode) == (f"{moved}/tasks.py --list\n", 7)


def test_python_finds_the_tools_by_a_path_without_the_characters_of_the_checkout(folder: Path, uv: Path) -> None:
    """An umlaut in a .pth file keeps Python 3.11 from starting under LC_ALL=C."""
    packages = folder / ".venv" / "lib" / "python3.11" / "site-packages"
    cached = folder.parent / "cached.pth"
    cached.write_text(f"{folder}/packages/groundwork/src")
    link = f'mkdir -p "{packages}"; ln "{cached}" "{packages}/flask_groundwork.pth"\n'
    (folder / "path" / "ln").symlink_to(str(shutil.which("ln")))
    _command(folder, "uv", UV.format(calls=uv).removeprefix("#!/bin/sh\n") + link)

    _inv(folder)

    line = (packages / "flask_groundwork.pth").read_text().strip()
    assert (packages / line).resolve() == folder / "packages" / "groundwork" / "src"
    assert cached.read_text() == f"{folder}/packages/groundwork/src"


def test_a_link_to_a_checkout_uses_the_same_environment(folder: Path, uv: Path) -> None:
    _inv(folder)
    link = folder.with_name("link")
    link.symlink_to(folder)

    _inv(link)

    assert uv.read_text().count("sync") == 1
