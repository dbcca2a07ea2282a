"""Runs of pytest in a clone, with test modules that a test writes."""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from groundwork.testing import embedded
from packages.groundwork.tests.conftest import Clone

Run = Callable[..., "subprocess.CompletedProcess[str]"]
USES_NONE = "def test_none(): pass\n"
USES_THE_SERVER = "def test_server(run_environment): assert run_environment\n"
USES_A_SESSION = "def test_session(session): assert session.connection()\n"
USES_A_DATABASE = "def test_database(database): database.app()\n"


def write(clone: Clone, *modules: str) -> list[str]:
    for number, module in enumerate(modules):
        (clone.folder / "tests" / f"test_{number}.py").write_text(module)
    return [f"tests/test_{number}.py" for number in range(len(modules))]


def run_pytest(
    clone: Clone, *modules_and_options: str, before: list[str] | None = None
) -> "subprocess.CompletedProcess[str]":
    modules = [text for text in modules_and_options if "def test_" in text]
    options = [text for text in modules_and_options if "def test_" not in text]
    places = write(clone, *modules)
    return subprocess.run(
        [*(before or []), sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *places],
        cwd=clone.folder,
        env=clone.environment,
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def run_name(folder: Path) -> str:
    """Return the name prefix of the clone's servers."""
    program = "from groundwork.testing import template; print(template.OF_THIS_CHECKOUT)"
    printed = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    return printed.stdout.strip()


def data_of(clone: Clone) -> list[Path]:
    return sorted(embedded.memory().glob(f"{run_name(clone.folder)}-*~data"))
