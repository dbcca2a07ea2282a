"""Fixed time for scenarios, so that equal seeds give equal rows on any day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)  # a Monday morning


@contextmanager
def stopped(session: "Session") -> Iterator[None]:
    """Set `created_at` of all added rows to NOW, unless it has a value."""
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
