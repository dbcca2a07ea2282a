"""The migrated server that every run starts a copy of, and the database in it that is cloned."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ops import postgres, project, shell
from ops.configuration import Configuration
from tests import clones

NAME = "template"
OF_THIS_CHECKOUT = f"{project.compose_project()}-tests"
KEPT = 5  # made servers: of as many branches, say

SETTINGS = {
    **postgres.NOT_CRASH_SAFE,
    "max_connections": "200",
    "dynamic_shared_memory_type": "mmap",  # inside the data directory, and so removed with it
}
INITDB_OPTIONS = (
    "--no-sync",
    "--wal-segsize=1",  # one megabyte to copy instead of sixteen
    # Half of what a connection costs is the hashing that makes guessing slow. The password is of 256 random bits.
    "--set=scram_iterations=1",
)


@dataclass(frozen=True)
class Started:
    """A server that takes connections."""

    environment: dict[str, str]
    described: str
    stop: Callable[[], None]
    leave: Callable[[], None] = lambda: None
    """Before the process ends that it shall outlive."""


def made_from() -> str:
    """A hash of all in this checkout that decides how a migrated server looks."""
    digest = hashlib.sha256()
    makers = [Path(__file__).with_name(f"{name}.py") for name in ("template", "embedded", "container")]
    sources = [project.CONFIG / "testing.json", project.ROOT / "alembic.ini"]
    for path in [*makers, *sources, *sorted((project.ROOT / "alembic").rglob("*.py"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def fingerprint(settings: Configuration, made_by: str) -> str:
    """The same with the program that makes it, and the password that it gets."""
    return hashlib.sha256(f"{made_from()} {made_by} {settings['POSTGRES_PASSWORD']}".encode()).hexdigest()[:16]


def migrate(environment: dict[str, str]) -> None:
    """Nothing may connect to a database while it is cloned, so nothing can. Raises Exit with Alembic's complaint."""
    clones.create(environment, NAME)
    shell.read(shell.python("alembic", "upgrade", "head"), {**environment, "APPLICATION_DB": NAME})
    with clones.connect(environment, NAME) as connection:
        connection.execute("VACUUM (FULL, FREEZE)")  # leaves a quarter fewer files to copy for each clone
    with clones.connect(environment) as connection:
        connection.execute(f"ALTER DATABASE {NAME} IS_TEMPLATE true ALLOW_CONNECTIONS false")
        connection.execute("ALTER DATABASE template1 IS_TEMPLATE false")
        connection.execute("DROP DATABASE template1")  # a fifth less to copy at each start
