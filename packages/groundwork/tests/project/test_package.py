"""The distribution flask-groundwork, as a project installs it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from groundwork import contract
from groundwork.system import paths

PACKAGE = paths.ROOT / "packages" / "groundwork"
UV = str(Path(sys.executable).with_name("uv"))
OFFLINE = {**os.environ, "UV_OFFLINE": "1"}
"""uv builds the package by itself, so that this needs no network."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--package", "flask-groundwork", "--wheel", "--out-dir", str(folder), at=paths.ROOT)
    return next(folder.glob("*.whl"))


def test_the_wheel_has_the_modules_with_their_pages_and_no_tests(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}

    source = PACKAGE / "src"
    files = [path.relative_to(source) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    metadata = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert {name for name in names if ".dist-info/" not in name} == {*map(str, files)}
    assert {name.partition(".dist-info/")[2] for name in names} - {""} == metadata


def test_the_wheel_installs_into_an_empty_environment_and_can_be_imported(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text('[project]\nname = "shop"\n\n[tool.groundwork]\n')
    run(UV, "venv", "--quiet", "--python", sys.executable, "environment", at=tmp_path)
    python = str(tmp_path / "environment" / "bin" / "python")
    run(UV, "pip", "install", "--quiet", "--no-deps", "--python", python, str(wheel), at=tmp_path)

    program = "from groundwork.system import paths; print(paths.NAME, paths.ROOT)"
    said = run(python, "-c", program, at=tmp_path / "project")

    assert said == f"shop {tmp_path / 'project'}\n"


def test_the_readme_has_the_defaults(tmp_path: Path) -> None:
    block = (PACKAGE / "README.md").read_text("utf-8").partition("[tool.groundwork]")[2].partition("```")[0]
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "shop"\n\n[tool.groundwork]{block}', "utf-8")

    assert contract.load(tmp_path) == contract.Project("shop")


def test_the_license_is_that_of_the_project() -> None:
    assert (PACKAGE / "LICENSE").read_text("utf-8") == (paths.ROOT / "LICENSE").read_text("utf-8")


def test_the_build_backend_is_the_uv_of_the_lock() -> None:
    """A uv of another version would download the backend for each installation."""
    (backend,) = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    packages = tomllib.loads((paths.ROOT / "uv.lock").read_text("utf-8"))["package"]
    (uv,) = (package["version"] for package in packages if package["name"] == "uv")

    assert uv in Requirement(backend).specifier


def run(*command: str, at: Path) -> str:
    ran = subprocess.run(command, cwd=at, env=OFFLINE, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
