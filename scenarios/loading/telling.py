"""Telling a story to a database that is migrated and empty."""

from functools import partial
from importlib import import_module

import psycopg
from sqlalchemy import URL, create_engine, func, select
from sqlalchemy.orm import Session

from app import models  # noqa: F401  the tables enter Base.metadata
from app.database import Base
from scenarios.loading import clock, copying, progress, rows

LOCK = 5_112_946_306  # among the advisory locks of the database


class NotEmpty(Exception):
    """The database has rows: nothing was added, and nothing was taken away."""


def names() -> list[str]:
    return sorted(path.stem for path in rows.STORIES.glob("[!_]*.py"))


def size_of(name: str) -> int | None:
    """The size by default; None for a story that is always the same."""
    size: int | None = getattr(import_module(f"scenarios.{name}"), "SIZE", None)
    return size


def tell(url: URL, name: str, size: int | None, seed: int) -> str:
    """Says in a sentence what is there then. Raises NotEmpty, and what the story raises."""
    story = import_module(f"scenarios.{name}")
    engine = create_engine(url)
    try:
        with Session(engine) as session, clock.stopped(session):
            session.execute(
                select(func.pg_advisory_xact_lock(LOCK))
            )  # of two at once, the second finds the rows of the first
            if any(_counts(session).values()):
                raise NotEmpty
            if hasattr(story, "fill"):
                story.fill(session, seed)
            session.commit()
        if hasattr(story, "parts"):
            with progress.shown(name, sum(1 for _ in story.parts(size, seed))) as told:
                copying.load(partial(_connect, url), story.COLUMNS, story.parts(size, seed), told)
        with Session(engine) as session:
            filled = {table: count for table, count in _counts(session).items() if count}
        return ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in filled.items()) or "no rows"
    finally:
        engine.dispose()


def libpq(url: URL) -> str:
    """The same address as psycopg itself reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _counts(session: Session) -> dict[str, int]:
    return {
        table.name: session.scalars(select(func.count()).select_from(table)).one()
        for table in Base.metadata.sorted_tables
    }


def _connect(url: URL) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(libpq(url), autocommit=True)
