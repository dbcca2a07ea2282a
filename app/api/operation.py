"""What a route promises to those who call it. It stands at the view, and costs no request anything."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from http import HTTPStatus
from typing import TypeVar

from app.api.payloads import Body, Query
from app.errors import Refusal
from app.models import Role

EVERYBODY: frozenset[Role] = frozenset()
"""Without a token, too."""
SIGNED_IN = frozenset(Role)
STAFF = frozenset({Role.STAFF})

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True)
class Header:
    name: str
    description: str
    schema: Mapping[str, object]
    required: bool = False
    """Of who asks; what is sent is always there."""


ETAG = Header("ETag", "Names what is shown, as it is now.", {"type": "string"})
IF_MATCH = Header("If-Match", "The ETag of what is to be changed.", {"type": "string", "examples": ['"0a1b2c"']})


@dataclass(frozen=True)
class Operation:
    """A decorator. What follows from the rest is not said again: 422 from a body, 404 from an id, 503 from everything.

    The view's docstring is the summary, and after an empty line the description.
    """

    id: str
    _: KW_ONLY
    allowed: frozenset[Role]
    """Who may call it, by a token."""
    gives: Mapping[HTTPStatus, type | None]
    """The classes of app/api/answers.py by status; None where there is no body."""
    body: type[Body] | None = None
    query: type[Query] | None = None
    refusals: Sequence[type[Refusal]] = ()
    """Those of app/errors.py that the view may raise."""
    accepts: Sequence[Header] = ()
    sends: Sequence[Header] = ()
    """With each of `gives`."""

    def __call__(self, view: View) -> View:
        """The view itself."""
        vars(view)["operation"] = self
        return view


def of(view: Callable[..., object]) -> Operation | None:
    return vars(view).get("operation")
