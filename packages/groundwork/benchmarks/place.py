"""PostgreSQL server with databases, and copies of the checkout, for benchmarks."""

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

from groundwork.configuration.loader import Configuration
from groundwork.postgresql import embedded
from groundwork.production import cleanup
from groundwork.scenarios import server as scenario_server
from groundwork.system import paths, shell
from groundwork.testing import database_pool
from packages.groundwork.benchmarks.suite import peers

MIGRATED = "migrated"
DSLR = "dslr==0.6.0"


@dataclass(frozen=True)
class Server:
    configuration: Configuration

    @property
    def environment(self) -> dict[str, str]:
        return self.configuration.environment

    def connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return database_pool.connect(self.environment, database)

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
        """Replace the database of this name with a copy of the template: by default, migrated and empty."""
        database_pool.drop(self.environment, name)
        database_pool.create(self.environment, name, template)
        return name


@contextmanager
def server() -> Iterator[Server]:
    """Run a server on disk with the settings of a scenario server."""
    with peers.folder(peers.DISK) as folder:
        configured = peers.settings()
        user, password = configured["POSTGRES_USER"], configured["POSTGRES_PASSWORD"]
        running = embedded.Server(
            folder / "data", int(configured["POSTGRES_PORT"]), user, password, scenario_server.SETTINGS
        )
        try:
            running.start()
            database_pool.create(configured.environment, MIGRATED)
            shell.read(
                shell.python("alembic", "upgrade", "head"), {**configured.environment, "APPLICATION_DB": MIGRATED}
            )
            yield Server(configured)
        finally:
            running.stop()


def dslr() -> Path:
    """Return the path of DSLR, installed in a separate environment because it needs an older rich."""
    environment = paths.LOCAL / "benchmarks-dslr"
    command = environment / "bin" / "dslr"
    if not command.exists():
        shell.read(["uv", "venv", "--clear", str(environment)])
        shell.read(["uv", "pip", "install", "--python", str(environment), DSLR, "psycopg[binary]"])
    return command


@dataclass(frozen=True)
class Checkout:
    folder: Path

    def inv(self, *arguments: str) -> None:
        """Run a task without a Docker Engine, so that it uses embedded PostgreSQL like the other contenders."""
        subprocess.run(
            [sys.executable, "-m", "invoke", "--search-root", str(self.folder), *arguments],
            cwd=self.folder,
            env={**os.environ, "DOCKER_HOST": "unix:///nowhere"},
            capture_output=True,
            check=True,
        )


@contextmanager
def copy_of_checkout() -> Iterator[Path]:
    """Copy the checkout without generated files."""
    with peers.folder(peers.DISK) as folder:
        leave = shutil.ignore_patterns(".git", ".local", ".venv", "__pycache__", ".*_cache")
        yield Path(shutil.copytree(paths.ROOT, folder / cleanup.claimed_folder() / "shop", ignore=leave))


@contextmanager
def checkout() -> Iterator[Checkout]:
    with copy_of_checkout() as folder:
        copy = Checkout(folder)
        try:
            yield copy
        finally:
            copy.inv("scenario.down", "--all")
