"""How what went wrong meets HTTP: as a problem document (RFC 9457) for programs, as a page for people."""

import json
import re
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, render_template, request
from flask.globals import request_ctx
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.urls import iri_to_uri

from app import policy
from app.database import is_passing, reason
from app.errors import (
    ChangedMeanwhile,
    Conflict,
    IdempotencyKeyReused,
    InvalidRequest,
    NotAllowed,
    PreconditionMissing,
    Refusal,
    SignInRequired,
    TooManyAttempts,
    TooManyPasswords,
    TooManyRegistrations,
    Unknown,
    WrongCredentials,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 1  # seconds

FOR_PROGRAMS = ("/api", "/healthz", "/readyz", "/drainz")

STATUS: dict[type[Refusal], HTTPStatus] = {
    Unknown: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    SignInRequired: HTTPStatus.UNAUTHORIZED,
    WrongCredentials: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyRegistrations: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyPasswords: HTTPStatus.SERVICE_UNAVAILABLE,
    PreconditionMissing: HTTPStatus.PRECONDITION_REQUIRED,
    ChangedMeanwhile: HTTPStatus.PRECONDITION_FAILED,
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
}

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("app.problems")


def init_app(app: Flask) -> None:
    for refusal in STATUS:
        app.register_error_handler(refusal, _refused)
    app.register_error_handler(HTTPException, _failed)
    for error in (DBAPIError, NoConnectionFree):
        app.register_error_handler(error, _database_failed)


def of(refusal: type[Refusal]) -> tuple[HTTPStatus, str, str]:
    """The status, the type and the title with which it is told; the last two are its name."""
    status = next(STATUS[kind] for kind in refusal.__mro__ if kind in STATUS)
    words = re.findall("[A-Z][a-z]*", refusal.__name__)
    return status, f"urn:problem-type:shop:{'-'.join(words).lower()}", " ".join(words).capitalize()


def _refused(error: Any) -> Response:
    """The exception's values become members of the document."""
    status, name, title = of(type(error))
    if not _is_for_programs():
        return _as_page(Response(status=status, headers=_headers(error)), str(error))
    document = {"type": name, "title": title, **_occurrence(status, str(error)), **asdict(error)}
    return _as_problem(Response(status=status, headers=_headers(error)), document)


def _headers(error: Refusal) -> dict[str, str]:
    """What HTTP wants to be told by a header."""
    if isinstance(error, TooManyAttempts | TooManyRegistrations | TooManyPasswords):
        return {"Retry-After": str(error.retry_after)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, SignInRequired | WrongCredentials) else {}


def _database_failed(error: DBAPIError | NoConnectionFree) -> Response:
    """503 for what passes. What does not is a mistake of ours, and goes on to be a 500 with a traceback."""
    if not is_passing(error):
        raise error
    log.warning("the database is not available", reason=reason(error))
    return _failed(
        ServiceUnavailable("The database is not available. Please try again in a moment.", retry_after=RETRY_AFTER)
    )


def _failed(error: HTTPException) -> Response:
    """For what HTTP itself names; an unforeseen exception arrives here as a 500 that tells nothing of it."""
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
    return request.path.startswith(FOR_PROGRAMS)


def _as_page(response: Response, detail: str | None) -> Response:
    """What to do next, the page says by the status."""
    if request_ctx.url_adapter is None:  # its header Host is no name of a host: a page could link to nothing
        response.set_data(f"{response.status}\n")
        response.content_type = "text/plain; charset=utf-8"
        return response
    response.set_data(render_template("problem.html", status=response.status_code, detail=detail))
    response.content_type = "text/html; charset=utf-8"
    return policy.protect(response)


def _occurrence(status: int, detail: str | None) -> dict[str, object]:
    return {"status": status, "detail": detail, "instance": iri_to_uri(request.path)}


def _as_problem(response: Response, document: dict[str, object]) -> Response:
    response.set_data(json.dumps(document) + "\n")  # or the prompt of a terminal sticks to it
    response.content_type = MEDIA_TYPE
    return response
