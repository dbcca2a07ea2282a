"""Log of SQL statements, with totals in the access log; imported only if FLASK_DEBUG is set."""

import sys
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, g, has_request_context
from sqlalchemy import Connection, event

from groundwork.flask.observability import request_logging

SLOW_MS = 100

log: structlog.stdlib.BoundLogger = structlog.get_logger("app.queries")


def init_app(app: Flask) -> None:
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", partial(_end, Path(app.root_path)))


def _begin(connection: Connection, *_: Any) -> None:
    connection.info["asked at"] = perf_counter()


def _end(code: Path, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    """Log slow statements as warnings, others at the level DEBUG, with their caller and without values."""
    took = (perf_counter() - connection.info["asked at"]) * 1000
    if has_request_context():
        noted = g.setdefault(request_logging.NOTED, {"statements": 0, "database_ms": 0.0})
        noted["statements"] += 1
        noted["database_ms"] = round(noted["database_ms"] + took, 1)
    tell, what = (log.warning, "slow statement") if took >= SLOW_MS else (log.debug, "statement")
    tell(what, ms=round(took, 1), asked_by=_asked_by(code), sql=" ".join(statement.split()))


def _asked_by(code: Path) -> str | None:
    """Return the innermost line of the service in the call stack; None if a command ran the statement."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]  # None ends the loop
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(code):
            return f"{path.relative_to(code.parent)}:{frame.f_lineno}"
    return None
