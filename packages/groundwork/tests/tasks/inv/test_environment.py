"""Environment of `./inv`: locales, and variables and files that are meant for other projects."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from groundwork.system import paths
from packages.groundwork.tests.tasks.inv.launcher import inv as _inv


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_the_tools_are_found_under_every_locale(locale: str) -> None:
    """The checkout of .ci/bare and .ci/smoke has an umlaut in its path."""
    listed = subprocess.run(
        [paths.ROOT / "inv", "--list"],
        env={**os.environ, "LC_ALL": locale}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert listed.returncode == 0, listed.stderr


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
