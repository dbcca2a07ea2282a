"""Fixtures and queries for tests of backups."""

import pytest

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import database
from groundwork.postgresql.database import Database as Found
from groundwork.testing.service import Database


def content(settings: Configuration) -> dict[str, list[tuple[object, ...]]]:
    from psycopg import sql

    row = sql.SQL("SELECT a_row::text FROM {} AS a_row ORDER BY 1")
    tables = ("users", "products", "orders", "order_lines", "alembic_version")
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        return {table: connection.execute(row.format(sql.Identifier(table))).fetchall() for table in tables}


def change(settings: Configuration) -> None:
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        connection.execute("DELETE FROM order_lines")


def drafts(settings: Configuration) -> list[str]:
    with database.connect(settings) as connection:
        name = f"{settings['APPLICATION_DB']}~"
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        return [str(row[0]) for row in found]


@pytest.fixture
def found(database: Database) -> Found:
    return Found(loader.load("testing", environ=database.environment), "")
