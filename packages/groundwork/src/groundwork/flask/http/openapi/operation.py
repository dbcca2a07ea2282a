"""Contract of a route, for the API document. It is stored on the view and costs requests nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from http import HTTPStatus
from typing import TypeVar

from groundwork.flask.errors import DomainError
from groundwork.flask.http.requests import Body, Query

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True)
class Access:
    """Roles that may call a view, and the errors that other callers get."""

    roles: frozenset[str] = frozenset()
    refusals: tuple[type[DomainError], ...] = ()


EVERYBODY = Access()
"""Includes callers without a token."""


@dataclass(frozen=True)
class Header:
    name: str
    description: str
    schema: Mapping[str, object]
    required: bool = False
    """For request headers; response headers are always present."""


ETAG = Header("ETag", "Names what is shown, as it is now.", {"type": "string"})
IF_MATCH = Header("If-Match", "The ETag of what is to be changed.", {"type": "string", "examples": ['"0a1b2c"']})


@dataclass(frozen=True)
class Operation:
    """Decorator that declares a view's contract, without implied errors: 422 for a body, 404 for an id, 503 for all.

    The view's docstring is the summary and, after an empty line, the description.
    """

    id: str
    _: KW_ONLY
    allowed: Access
    gives: Mapping[HTTPStatus, type | None]
    """Classes of the response payloads by status; None for no body."""
    body: type[Body] | None = None
    query: type[Query] | None = None
    refusals: Sequence[type[DomainError]] = ()
    """Errors that the view may raise."""
    accepts: Sequence[Header] = ()
    sends: Sequence[Header] = ()
    """Headers of each response in `gives`."""

    def __call__(self, view: View) -> View:
        """Attach the operation to the view and return the view."""
        vars(view)["operation"] = self
        return view


def find(view: Callable[..., object]) -> Operation | None:
    return vars(view).get("operation")
