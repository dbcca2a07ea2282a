"""What a service asks of the database, as a test sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session


@contextmanager
def issued(session: Session) -> Iterator[list[str]]:
    """Those on the session's connection, which the service shares, without the savepoints that are commits here."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "SAVEPOINT" not in statement:
            seen.append(statement)

    event.listen(session.connection(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(session.connection(), "before_cursor_execute", note)
