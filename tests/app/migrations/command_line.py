"""Alembic's command line, in this process or in a new one."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from alembic.config import CommandLine, Config

from groundwork.testing.service import Database

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60  # seconds; what takes longer hangs


def migrate(database: Database, command: Callable[[Config, str], None], revision: str) -> None:
    """Migrate in this process, because a new one takes ten times as long. Raise CommandError if Alembic refuses."""
    with pytest.MonkeyPatch.context() as process:
        for name, value in database.environment.items():
            process.setenv(name, value)
        command(Config(ROOT / "alembic.ini"), revision)


@dataclass(frozen=True)
class Ran:
    has_succeeded: bool
    said: str


def run(database: Database, *command: str, folder: Path = ROOT) -> Ran:
    """Run Alembic's command line in this process. Raise errors for which it prints no line."""
    line, said = CommandLine(), StringIO()
    options = line.parser.parse_args(command)
    config = Config(folder / "alembic.ini", ini_section=options.name, cmd_opts=options, stdout=said)
    with pytest.MonkeyPatch.context() as process, redirect_stdout(said):
        process.setattr(sys, "path", [*sys.path])
        for name, value in database.environment.items():
            process.setenv(name, value)
        try:
            line.run_cmd(config, options)
        except SystemExit:
            return Ran(False, said.getvalue())
    return Ran(True, said.getvalue())


def typed(database: Database, *command: str, folder: Path = ROOT) -> tuple[int, str, str]:
    """Run Alembic in a new process and return exit code, stdout and stderr."""
    return end(start(database, *command, folder=folder))


def start(database: Database, *command: str, folder: Path = ROOT) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", *command],
        cwd=folder,
        env=database.environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, stdout, stderr


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)
