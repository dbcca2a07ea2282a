"""The time of day in a story: it stands still, so that the same story is the same rows, whenever it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)  # a Monday morning


@contextmanager
def stopped(session: "Session") -> Iterator[None]:
    """Whatever the app adds inside was created NOW, unless somebody says otherwise."""
    from sqlalchemy import event

    event.listen(session, "before_flush", _date)
    try:
        yield
    finally:
        event.remove(session, "before_flush", _date)


def _date(session: "Session", *_: object) -> None:
    for added in session.new:
        if getattr(added, "created_at", NOW) is None:
            added.created_at = NOW
