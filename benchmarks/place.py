"""A server for scenarios, and databases on it; and a checkout of its own for the tasks."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import URL

from benchmarks.suite import peers
from ops import postgres, project, scenario_server, shell
from ops.configuration import Configuration
from tests import clones, leftovers

MIGRATED = "migrated"
DSLR = "dslr==0.6.0"


@dataclass(frozen=True)
class Server:
    configuration: Configuration

    @property
    def environment(self) -> dict[str, str]:
        return self.configuration.environment

    def connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return clones.connect(self.environment, database)

    def url(self, database: str) -> str:
        place = URL.create(
            "postgresql",
            self.environment["POSTGRES_USER"],
            self.environment["POSTGRES_PASSWORD"],
            self.environment["POSTGRES_HOST"],
            int(self.environment["POSTGRES_PORT"]),
            database,
        )
        return place.render_as_string(hide_password=False)

    def new(self, name: str = "new", template: str = MIGRATED) -> str:
        """A database that is migrated and empty, in the place of the last one of that name."""
        clones.drop(self.environment, name)
        clones.create(self.environment, name, template)
        return name


@contextmanager
def server() -> Iterator[Server]:
    """On the disk, with the settings of a scenario's."""
    with peers.folder(peers.DISK) as folder:
        configured = peers.settings()
        user, password = configured["POSTGRES_USER"], configured["POSTGRES_PASSWORD"]
        running = postgres.Server(
            folder / "data", int(configured["POSTGRES_PORT"]), user, password, scenario_server.SETTINGS
        )
        try:
            running.start()
            clones.create(configured.environment, MIGRATED)
            shell.read(
                shell.python("alembic", "upgrade", "head"), {**configured.environment, "APPLICATION_DB": MIGRATED}
            )
            yield Server(configured)
        finally:
            running.stop()


def dslr() -> Path:
    """Its command, in an environment of its own: it needs an older rich than the project has."""
    environment = project.LOCAL / "benchmarks-dslr"
    command = environment / "bin" / "dslr"
    if not command.exists():
        shell.read(["uv", "venv", "--clear", str(environment)])
        shell.read(["uv", "pip", "install", "--python", str(environment), DSLR, "psycopg[binary]"])
    return command


@dataclass(frozen=True)
class Checkout:
    folder: Path

    def inv(self, *arguments: str) -> None:
        """Without an engine: its server is the embedded one, as the other contenders' is."""
        subprocess.run(
            [sys.executable, "-m", "invoke", "--search-root", str(self.folder), *arguments],
            cwd=self.folder,
            env={**os.environ, "DOCKER_HOST": "unix:///nowhere"},
            capture_output=True,
            check=True,
        )


@contextmanager
def copy_of_checkout() -> Iterator[Path]:
    """Without what was made in it."""
    with peers.folder(peers.DISK) as folder:
        leave = shutil.ignore_patterns(".git", ".local", ".venv", "__pycache__", ".*_cache")
        yield Path(shutil.copytree(project.ROOT, folder / leftovers.claimed_folder() / "shop", ignore=leave))


@contextmanager
def checkout() -> Iterator[Checkout]:
    with copy_of_checkout() as folder:
        copy = Checkout(folder)
        try:
            yield copy
        finally:
            copy.inv("scenario.down", "--all")
