"""Error responses: problem documents (RFC 9457) for programs, pages for people."""

import json
import re
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, current_app, render_template, request
from flask.globals import request_ctx
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.urls import iri_to_uri

from groundwork.flask.database import is_transient, reason
from groundwork.flask.errors import (
    Busy,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    PreconditionMissing,
    StaleVersion,
    Throttled,
    Unauthenticated,
    Unknown,
)
from groundwork.flask.http import security_headers

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 1  # seconds

FOR_PROGRAMS = ("/api", "/healthz", "/readyz", "/drainz")

STATUS: dict[type[DomainError], HTTPStatus] = {
    Unknown: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    Throttled: HTTPStatus.TOO_MANY_REQUESTS,
    Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    PreconditionMissing: HTTPStatus.PRECONDITION_REQUIRED,
    StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
}

PROBLEM_TYPES = "PROBLEM_TYPES"
"""Key of the prefix in the app's configuration."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("app.problems")


def init_app(app: Flask, problem_types: str, for_programs: tuple[str, ...] = FOR_PROGRAMS) -> None:
    """Register the handlers: problem documents for paths that begin with one of `for_programs`, pages for the others.

    The types of refusals begin with `problem_types`.
    """
    app.config.from_mapping({PROBLEM_TYPES: problem_types, "FOR_PROGRAMS": for_programs})
    for refusal in STATUS:
        app.register_error_handler(refusal, _refused)
    app.register_error_handler(HTTPException, _failed)
    for error in (DBAPIError, NoConnectionFree):
        app.register_error_handler(error, _database_failed)


def describe(refusal: type[DomainError]) -> tuple[HTTPStatus, str, str]:
    """Return the status, name and title of a refusal; name and title are derived from its public name."""
    status = next(STATUS[kind] for kind in refusal.__mro__ if kind in STATUS)
    words = re.findall("[A-Z][a-z]*", refusal.public_name())
    return status, "-".join(words).lower(), " ".join(words).capitalize()


def _refused(error: Any) -> Response:
    """Answer with the refusal; its fields become members of the problem document."""
    status, name, title = describe(type(error))
    if not _is_for_programs():
        return _as_page(Response(status=status, headers=_headers(error)), str(error))
    document = {
        "type": current_app.config[PROBLEM_TYPES] + name,
        "title": title,
        **_occurrence(status, str(error)),
        **asdict(error),
    }
    return _as_problem(Response(status=status, headers=_headers(error)), document)


def _headers(error: DomainError) -> dict[str, str]:
    """Return the headers that HTTP requires for the refusal."""
    if isinstance(error, Throttled | Busy):
        return {"Retry-After": str(error.retry_after)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else {}


def _database_failed(error: DBAPIError | NoConnectionFree) -> Response:
    """Answer 503 to a transient error; re-raise any other as our own bug, which becomes a 500 with a traceback."""
    if not is_transient(error):
        raise error
    log.warning("the database is not available", reason=reason(error))
    return _failed(
        ServiceUnavailable("The database is not available. Please try again in a moment.", retry_after=RETRY_AFTER)
    )


def _failed(error: HTTPException) -> Response:
    """Answer with an HTTP error; an unexpected exception arrives here as a 500 without its details."""
    response = Response(headers=error.get_response().headers)  # such as Allow and Retry-After
    response.status_code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if not _is_for_programs():
        own_words = error.description if error.description != type(error).description else None
        return _as_page(response, own_words)
    document = {
        "type": "about:blank",
        "title": error.name,
        **_occurrence(response.status_code, error.description),
    }
    return _as_problem(response, document)


def _is_for_programs() -> bool:
    return bool(request.path.startswith(current_app.config["FOR_PROGRAMS"]))


def _as_page(response: Response, detail: str | None) -> Response:
    """Render the error as a page, which suggests the next step by the status."""
    if request_ctx.url_adapter is None:  # the Host header is invalid, and a page could not build its links
        response.set_data(f"{response.status}\n")
        response.content_type = "text/plain; charset=utf-8"
        return response
    response.set_data(render_template("problem.html", status=response.status_code, detail=detail))
    response.content_type = "text/html; charset=utf-8"
    return security_headers.protect(response)


def _occurrence(status: int, detail: str | None) -> dict[str, object]:
    return {"status": status, "detail": detail, "instance": iri_to_uri(request.path)}


def _as_problem(response: Response, document: dict[str, object]) -> Response:
    response.set_data(json.dumps(document) + "\n")  # so that a terminal's prompt starts on a new line
    response.content_type = MEDIA_TYPE
    return response
