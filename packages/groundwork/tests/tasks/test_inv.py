"""`./inv`, the first command of a newcomer, with real programs except for a uv or Python that must fail."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from groundwork.system import paths

TOOLS = ["awk", "cat", "chmod", "cmp", "cp", "dirname", "mkdir", "rm", "touch"]
UV = """#!/bin/sh
echo "$@" >>"{calls}"
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
printf '#!/bin/sh\\necho "$@"; exit 7\\n' >"$UV_PROJECT_ENVIRONMENT/bin/python"
chmod +x "$UV_PROJECT_ENVIRONMENT/bin/python"
"""


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


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_the_tools_are_found_under_every_locale(locale: str) -> None:
    """The checkout of .ci/bare and .ci/smoke has an umlaut in its path."""
    listed = subprocess.run(
        [paths.ROOT / "inv", "--list"],
        env={**os.environ, "LC_ALL": locale}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert listed.returncode == 0, listed.stderr


def test_a_checkout_that_cannot_be_written_is_one_line(folder: Path) -> None:
    (folder / ".local").touch()  # stands for a read-only file system, which root is not kept from writing to

    refused = _inv(folder)

    assert refused.returncode == 1
    assert refused.stderr == f"inv: cannot write to {folder}/.local: use a checkout of your own that can be written\n"


def test_a_link_to_a_checkout_uses_the_same_environment(folder: Path, uv: Path) -> None:
    _inv(folder)
    link = folder.with_name("link")
    link.symlink_to(folder)

    _inv(link)

    assert uv.read_text().count("sync") == 1


def test_a_missing_venv_module_is_named_with_the_remedy(folder: Path) -> None:
    _command(folder, "python3", 'case "$1" in -c) exit 0 ;; *) echo "No module named venv" >&2; exit 1 ;; esac')

    refused = _inv(folder)

    assert refused.returncode == 1
    assert _complaint(refused) == (
        "inv: python3 has no working venv module; install it (on Debian and Ubuntu: apt install python3-venv)"
    )


def test_variables_and_files_for_other_projects_do_not_change_the_installation(folder: Path, tmp_path: Path) -> None:
    """A real pip installs a fake uv that only writes its environment to a file."""
    told = tmp_path / "told"
    _write_wheel(tmp_path / "wheels", f'env >"{told}"')
    (folder / "tasks.py").write_text("import ops\nprint(ops.HERE)\n")
    (folder / "ops.py").write_text("HERE = 'here'\n")
    (folder / "path" / "env").symlink_to(str(shutil.which("env")))
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\nuser = true\n")
    reach = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_CONFIG_FILE": str(configuration)}
    of_pip = {"PIP_USER": "1", "PIP_TARGET": str(tmp_path / "target"), "PIP_REQUIRE_HASHES": "1", "PIP_NO_DEPS": "x"}
    of_uv = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9", "UV_EXCLUDE_NEWER": "2020-01-01", "UV_NO_DEFAULT_GROUPS": "1"}
    passing = {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_NATIVE_TLS": "1", "HTTPS_PROXY": "http://127.0.0.1:9"}
    variables = {"PYTHON": sys.executable, "PYTHONSAFEPATH": "1", **reach, **of_pip, **of_uv, **passing}

    typed = _inv(folder, "--list", variables=variables)

    assert (typed.stdout, typed.returncode) == ("here\n", 0), typed.stderr
    found = dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)
    assert found.keys() & (of_pip.keys() | of_uv.keys() | {"PYTHONSAFEPATH"}) == set()
    assert found.items() >= {**passing, **reach, "UV_NO_CONFIG": "1"}.items()


@pytest.mark.parametrize(
    "variable",
    ["PYTHONSAFEPATH=1", "PYTHONHOME=/nowhere", "PYTHONPATH=/nowhere", "PYTHONOPTIMIZE=2", "PYTHONINSPECT=1"],
)
def test_variables_of_python_for_other_projects_do_not_reach_the_tasks(variable: str) -> None:
    name, _, value = variable.partition("=")

    listed = subprocess.run(
        [paths.ROOT / "inv", "--list"],
        env={**os.environ, name: value}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert listed.returncode == 0, listed.stderr
    assert "Run the tests in parallel, with coverage" in listed.stdout
    assert listed.stderr == ""


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


def _inv(
    folder: Path, *arguments: str, cwd: Path | None = None, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [folder / "inv", *arguments],
        cwd=cwd or folder,
        env={"PATH": str(folder / "path"), **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def _write_wheel(folder: Path, script: str) -> None:
    """Write a package uv 0.0.7 that is one shell script."""
    folder.mkdir()
    files = {
        "uv-0.0.7.data/scripts/uv": f"#!/bin/sh\n{script}",
        "uv-0.0.7.dist-info/METADATA": "Metadata-Version: 2.1\nName: uv\nVersion: 0.0.7\n",
        "uv-0.0.7.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "uv-0.0.7.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(folder / "uv-0.0.7-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            wheel.writestr(entry, text)


def _command(folder: Path, name: str, script: str) -> None:
    path = folder / "path" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a checkout and a PATH with only the tools that every system has."""
    folder = tmp_path / "checkout"
    (folder / "path").mkdir(parents=True)
    for tool in TOOLS:
        (folder / "path" / tool).symlink_to(str(shutil.which(tool)))
    shutil.copy(paths.ROOT / "inv", folder / "inv")
    (folder / "uv.lock").write_text('[[package]]\nname = "uv"\nversion = "0.0.7"\n')
    return folder


@pytest.fixture
def uv(folder: Path) -> Path:
    """Create a fake uv that only records its calls, and return the file with the calls."""
    calls = folder.parent / "calls"
    _command(folder, "uv", UV.format(calls=calls).removeprefix("#!/bin/sh\n"))
    return calls
