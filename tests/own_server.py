"""A PostgreSQL of one test's own: it may be stopped, or log everything."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ops import ports, postgres, shell
from tests import clones, template, throwaway
from tests.service import Database


@contextmanager
def own_server(folder: Path, settings: Mapping[str, str]) -> Iterator[tuple[postgres.Server, Database]]:
    """The embedded one, with these settings besides the usual ones, and a migrated database on it."""
    chosen = throwaway.settings().changed("a test", POSTGRES_PORT=ports.any_free())
    server = postgres.Server(
        folder,
        int(chosen["POSTGRES_PORT"]),
        chosen["POSTGRES_USER"],
        chosen["POSTGRES_PASSWORD"],
        {**template.SETTINGS, **settings},
        template.INITDB_OPTIONS,
    )
    server.start()
    try:
        clones.create(chosen.environment, chosen["APPLICATION_DB"])
        shell.read(shell.python("alembic", "upgrade", "head"), chosen.environment)
        database = Database(chosen.environment)
        yield server, database
        database.close()
    finally:
        server.stop()
