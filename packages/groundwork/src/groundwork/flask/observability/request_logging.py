"""Request ids, and an access log with one line per request."""

import logging
import re
from time import perf_counter
from uuid import uuid4

import structlog
from flask import Flask, Response, g, has_app_context, request

HEADER = "X-Request-ID"
NOTED = "noted"  # in `g`: fields that other modules add to the request's log line
SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,63}")  # PostgreSQL truncates application_name to this length

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("app.access")


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def request_id() -> str | None:
    """Return the id of the current request; None outside a request."""
    return g.get("request_id") if has_app_context() else None


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if SANE_ID.fullmatch(given) else uuid4().hex
    g.began = perf_counter()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    log.log(
        logging.DEBUG if request.blueprint == "health" else logging.INFO,
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        duration_ms=round((perf_counter() - g.began) * 1000, 1),
        **g.get(NOTED, {}),
    )
    return response


def _forget(_error: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request_id")
