"""Fixtures for projects made from this one. The first worker that needs a copy makes it for the whole run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from groundwork.system import paths
from groundwork.testing import run

PYTHON = ("uv", "run", "--quiet", "--locked", "--only-group", "copier", "--project", str(paths.ROOT), "python")
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


def conflicts(folder: Path) -> list[str]:
    return [path for path in files(folder) if b"\n<<<<<<< " in (folder / path).read_bytes()]


def commit(folder: Path) -> None:
    output("git", "add", "--all", at=folder)
    output("git", "commit", "--quiet", "--message", "On the way", at=folder)


@pytest.fixture(scope="session")
def once(request: pytest.FixtureRequest) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a function that makes a folder by name once per run and returns it."""
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
    """Return a function that calls copier, in an environment that is kept because installation is slow."""
    kept = {"UV_PROJECT_ENVIRONMENT": str(paths.LOCAL / "copier")}
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
    """Return a clone with the working tree committed on top of the history. Tests may only add branches."""

    def make(place: Path) -> None:
        output("git", "clone", "--quiet", "--shared", "--no-checkout", str(paths.ROOT), str(place), at=paths.ROOT)
        tree = f"--work-tree={paths.ROOT}"
        output("git", f"--git-dir={place / '.git'}", tree, "add", "--all", at=paths.ROOT)
        if output("git", "diff", "--cached", "--name-only", "HEAD", at=place):
            output("git", "commit", "--quiet", "--message", "What is not committed yet", at=place)
        output("git", "checkout", "--quiet", "--force", "HEAD", at=place)

    return once("source", make)


@pytest.fixture(scope="session")
def made(once: Callable[[str, Callable[[Path], object]], Path], copier: Copier, source: Path) -> Copy:
    """Return a function that makes a project once per set of answers. Tests must not change it."""

    def copy(version: str = "HEAD", **answers: str) -> Path:
        def make(place: Path) -> None:
            data = [part for name, answer in answers.items() for part in ("--data", f"{name}={answer}")]
            ran = copier("copy", "--vcs-ref", version, *data, str(source), str(place), at=source)
            assert ran.returncode == 0, ran.stderr

        return once(f"{version}-{'-'.join(answers.values())}".replace(" ", ""), make)

    return copy


@pytest.fixture
def clone(source: Path, tmp_path: Path) -> Path:
    """Return a clone of the source that a test may change."""
    place = tmp_path / "clean"
    output("git", "clone", "--quiet", "--shared", str(source), str(place), at=tmp_path)
    return place
