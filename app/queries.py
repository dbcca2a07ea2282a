"""What a request asks of the database, in its line of the log. It is loaded where FLASK_DEBUG is set, else not."""

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, g, has_request_context
from sqlalchemy import Connection, event

from app import access
from app.database import db

SLOW_MS = 100
CODE = Path(__file__).parent

log: structlog.stdlib.BoundLogger = structlog.get_logger("app.queries")


def init_app(app: Flask) -> None:
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", _begin)
        event.listen(db.engine, "after_cursor_execute", _end)


def _begin(connection: Connection, *_: Any) -> None:
    connection.info["asked at"] = perf_counter()


def _end(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    """A slow one is told of with the line that asked for it, the others at the level DEBUG. Values are not shown."""
    took = (perf_counter() - connection.info["asked at"]) * 1000
    if has_request_context():
        noted = g.setdefault(access.NOTED, {"statements": 0, "database_ms": 0.0})
        noted["statements"] += 1
        noted["database_ms"] = round(noted["database_ms"] + took, 1)
    tell, what = (log.warning, "slow statement") if took >= SLOW_MS else (log.debug, "statement")
    tell(what, ms=round(took, 1), asked_by=_asked_by(), sql=" ".join(statement.split()))


def _asked_by() -> str | None:
    """The innermost line of the service that stands behind it; none where a command asked."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]  # None ends it
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(CODE) and path != Path(__file__):
            return f"{path.relative_to(CODE.parent)}:{frame.f_lineno}"
    return None
