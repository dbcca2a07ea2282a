"""Projects made from this one: what several tests look at is copied once a run, whichever worker needs it first."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from ops import project
from tests import run

PYTHON = ("uv", "run", "--quiet", "--locked", "--only-group", "copier", "--project", str(project.ROOT), "python")
ENVIRONMENT = {**os.environ}
ENVIRONMENT |= {f"GIT_{role}_{what}": "somebody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ENVIRONMENT |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

Copy = Callable[..., Path]
Copier = Callable[..., "subprocess.CompletedProcess[str]"]


def output(*command: str, at: Path) -> str:
    ran = subprocess.run(command, cwd=at, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def files(folder: Path) -> list[str]:
    """List what git would commit."""
    listed = output("git", "ls-files", "--cached", "--others", "--exclude-standard", at=folder).splitlines()
    return [path for path in dict.fromkeys(listed) if (folder / path).is_file()]


def commit(folder: Path) -> None:
    output("git", "add", "--all", at=folder)
    output("git", "commit", "--quiet", "--message", "On the way", at=folder)


@pytest.fixture(scope="session")
def once(request: pytest.FixtureRequest) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return the folder of that name, made by the first test of the run that asks for it."""
    shared = request.config.stash[run.FOLDER] / "copies"
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[Path], object]) -> Path:
        place, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(place, ignore_errors=True)
                make(place)
                done.touch()
        return place

    return made


@pytest.fixture(scope="session")
def copier() -> Copier:
    """Call copier's command line, in an environment that is kept: installing it takes longer than a copy."""
    kept = {"UV_PROJECT_ENVIRONMENT": str(project.LOCAL / "copier")}
    asked = subprocess.run(
        [*PYTHON, "-c", "import sys; print(sys.executable)"],
        env={**ENVIRONMENT, **kept}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr

    def call(command: str, *arguments: str, at: Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [asked.stdout.strip(), "-m", "copier", command, "--trust", "--defaults", *arguments],
            cwd=at, env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return call


@pytest.fixture(scope="session")
def source(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """This project as it is in the working tree, with its history. Tests may add branches and nothing else."""

    def make(place: Path) -> None:
        output("git", "clone", "--quiet", "--shared", "--no-checkout", str(project.ROOT), str(place), at=project.ROOT)
        tree = f"--work-tree={project.ROOT}"
        output("git", f"--git-dir={place / '.git'}", tree, "add", "--all", at=project.ROOT)
        if output("git", "diff", "--cached", "--name-only", "HEAD", at=place):
            output("git", "commit", "--quiet", "--message", "What is not committed yet", at=place)
        output("git", "checkout", "--quiet", "--force", "HEAD", at=place)

    return once("source", make)


@pytest.fixture(scope="session")
def made(once: Callable[[str, Callable[[Path], object]], Path], copier: Copier, source: Path) -> Copy:
    """Make a project, once for all tests with these answers. It is only to be looked at."""

    def copy(version: str = "HEAD", **answers: str) -> Path:
        def make(place: Path) -> None:
            data = [part for name, answer in answers.items() for part in ("--data", f"{name}={answer}")]
            ran = copier("copy", "--vcs-ref", version, *data, str(source), str(place), at=source)
            assert ran.returncode == 0, ran.stderr

        return once(f"{version}-{'-'.join(answers.values())}".replace(" ", ""), make)

    return copy


@pytest.fixture
def small_source(tmp_path: Path) -> Path:
    """A checkout that is copied as this one is, and quickly, since there is next to nothing in it."""
    place = tmp_path / "clean"
    shutil.copytree(project.ROOT / "yours", place / "yours", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("copier.yml", ".copier-answers.yml.jinja"):
        shutil.copy2(project.ROOT / name, place)
    (place / "uv.lock").touch()
    output("git", "init", "--quiet", at=place)
    commit(place)
    return place
