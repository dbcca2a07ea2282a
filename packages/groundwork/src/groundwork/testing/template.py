"""Migrated server that every run copies, and the template database in it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from groundwork import project_commands
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.contract import PROJECT
from groundwork.postgresql import embedded
from groundwork.system import paths, shell
from groundwork.testing import database_pool

NAME = "template"
OF_THIS_CHECKOUT = f"{paths.compose_project()}-tests"
KEPT = 5  # migrated servers, for example of five branches

SETTINGS = {
    **embedded.NOT_CRASH_SAFE,
    "max_connections": "200",
    "dynamic_shared_memory_type": "mmap",  # in the data directory, so that both are removed together
}
INITDB_OPTIONS = (
    "--no-sync",
    "--wal-segsize=1",  # copies 1 MB instead of 16
    # Slow hashing is half the cost of a connection, and the password of 256 random bits does not need it.
    "--set=scram_iterations=1",
)


@dataclass(frozen=True)
class Started:
    """Server that accepts connections, and outlives the process that started it."""

    environment: dict[str, str]
    described: str
    stop: Callable[[], None] = lambda: None


def made_from() -> str:
    """Return a hash of all files that determine a migrated server."""
    digest = hashlib.sha256()
    makers = [Path(__file__).with_name(f"{name}.py") for name in ("template", "embedded", "container")]
    sources = [paths.CONFIG / "testing.json", paths.ROOT / "alembic.ini"]
    sources = [path for path in sources if path.exists()]
    for path in [*makers, *sources, *sorted((paths.ROOT / PROJECT.migrations).rglob("*.py"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def fingerprint(settings: Configuration, made_by: str) -> str:
    """Return a short hash of these files, the program that creates the server, and the password."""
    return hashlib.sha256(f"{made_from()} {made_by} {settings['POSTGRES_PASSWORD']}".encode()).hexdigest()[:16]


def migrate(environment: dict[str, str]) -> None:
    """Create the template and forbid connections, which would block cloning. Raise Exit with Alembic's error."""
    database_pool.create(environment, NAME)
    shell.read(project_commands.migrate(), loader.with_database(environment, NAME))
    with database_pool.connect(environment, NAME) as connection:
        connection.execute("VACUUM (FULL, FREEZE)")  # a quarter fewer files to copy per clone
    with database_pool.connect(environment) as connection:
        connection.execute(f"ALTER DATABASE {NAME} IS_TEMPLATE true ALLOW_CONNECTIONS false")
        connection.execute("ALTER DATABASE template1 IS_TEMPLATE false")
        connection.execute("DROP DATABASE template1")  # a fifth less to copy per start
