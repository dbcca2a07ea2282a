"""Fixtures and queries for tests of backups and snapshots."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from invoke.context import Context
from invoke.tasks import Task

from groundwork.backups import snapshots
from groundwork.backups.snapshots import Snapshot, Snapshots
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import database
from groundwork.postgresql.database import Database as Found
from groundwork.testing.service import Database
from packages.groundwork.tests.conftest import Clone

Tasks = Callable[..., str]


def content(settings: Configuration) -> dict[str, list[tuple[object, ...]]]:
    from psycopg import sql

    row = sql.SQL("SELECT a_row::text FROM {} AS a_row ORDER BY 1")
    tables = ("users", "products", "orders", "order_lines", "alembic_version")
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        return {table: connection.execute(row.format(sql.Identifier(table))).fetchall() for table in tables}


def rows(settings: Configuration) -> list[tuple[object, ...]]:
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        return connection.execute("SELECT * FROM order_lines ORDER BY 1, 2").fetchall()


def change(settings: Configuration) -> None:
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        connection.execute("DELETE FROM order_lines")


def restore(settings: Configuration, taken: Snapshot) -> None:
    """Restore a snapshot as a task does. The replaced database is dropped at the end."""
    with snapshots.connect(settings) as kept:
        kept.restore(taken)


def drafts(settings: Configuration) -> list[str]:
    with database.connect(settings) as connection:
        name = f"{settings['APPLICATION_DB']}~"
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        return [str(row[0]) for row in found]


def databases(settings: Configuration) -> list[str]:
    """Return the name suffixes of the database, its snapshots and leftovers of tasks."""
    name = settings["APPLICATION_DB"]
    with database.connect(settings) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        return sorted(str(row[0]).removeprefix(name) for row in found)


@pytest.fixture
def settings(database: Database) -> Configuration:
    return loader.load("testing", environ=database.environment)


@pytest.fixture
def found(settings: Configuration) -> Found:
    return Found(settings, "")


@pytest.fixture
def kept(settings: Configuration) -> Iterator[Snapshots]:
    """Yield the snapshots of the test's database. Delete them afterwards."""
    with snapshots.connect(settings) as kept:
        yield kept
    with snapshots.connect(settings) as kept:
        for each in kept.list_all():
            kept.delete(each)


@pytest.fixture
def tasks(
    clone: Clone, settings: Configuration, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Tasks:
    """Return a function that calls a task in the clone and returns its output."""
    clone.environment.update(settings.environment, APPLICATION_CONFIG="testing")
    clone.enter(monkeypatch)

    def call(task: Task[Any], **options: object) -> str:
        capfd.readouterr()
        task(Context(), **options)
        said = capfd.readouterr()
        return said.err + said.out

    return call
