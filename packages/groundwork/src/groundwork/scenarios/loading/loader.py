"""Loader of a scenario into an empty, migrated database."""

from functools import partial

import psycopg
from sqlalchemy import URL, MetaData, create_engine, func, select
from sqlalchemy.orm import Session

from groundwork.scenarios.loading import clock, copying, progress
from groundwork.scenarios.project import import_scenario

LOCK = 5_112_946_306  # key of an advisory lock


class NotEmpty(Exception):
    """The database has rows; nothing was changed."""


def default_size(name: str) -> int | None:
    """Return the scenario's default size; None if its size is fixed."""
    size: int | None = getattr(import_scenario(name), "SIZE", None)
    return size


def load(url: URL, name: str, size: int | None, seed: int) -> str:
    """Load the scenario; return the row counts as text. Raises NotEmpty, and what the scenario raises."""
    scenario = import_scenario(name)
    engine = create_engine(url)
    try:
        with Session(engine) as session, clock.stopped(session):
            # With the lock, the second of two concurrent loads finds the rows of the first.
            session.execute(select(func.pg_advisory_xact_lock(LOCK)))
            if any(_counts(session).values()):
                raise NotEmpty
            if hasattr(scenario, "fill"):
                scenario.fill(session, seed)
            session.commit()
        if hasattr(scenario, "parts"):
            with progress.track(name, sum(1 for _ in scenario.parts(size, seed))) as report:
                copying.load(partial(_connect, url), scenario.COLUMNS, scenario.parts(size, seed), report)
        with Session(engine) as session:
            filled = {table: count for table, count in _counts(session).items() if count}
        return ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in filled.items()) or "no rows"
    finally:
        engine.dispose()


def libpq(url: URL) -> str:
    """Return the URL in libpq's format, for psycopg."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _counts(session: Session) -> dict[str, int]:
    """Return the row counts by table. The tables are the database's own, so that the app need not be imported."""
    metadata = MetaData()
    metadata.reflect(session.connection(), only=lambda name, _: name != "alembic_version")
    return {
        table.name: session.scalars(select(func.count()).select_from(table)).one() for table in metadata.sorted_tables
    }


def _connect(url: URL) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(libpq(url), autocommit=True)
