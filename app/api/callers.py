"""Who calls, and whether they may."""

from typing import cast

from flask import current_app, g, request

from app import tokens
from app.api import operation
from app.database import of_request
from app.errors import NotAllowed, SignInRequired
from app.tokens import Caller

SCHEME = "bearer"
"""In lower case: RFC 9110, section 11.1, takes it in any, with one space or more before the token."""


def admit() -> None:
    """Before each view of the API; one that does not say who may call it is called by nobody.

    Raises SignInRequired or NotAllowed.
    """
    promised = operation.of(current_app.view_functions[request.endpoint or ""])
    if promised is None:
        raise NotAllowed
    if promised.allowed:
        g.caller = _known()
        if g.caller.role not in promised.allowed:
            raise NotAllowed


def caller() -> Caller:
    """In a view that not everybody may call."""
    return cast("Caller", g.caller)


def only_theirs() -> int | None:
    """Whose things the caller may see and touch: their own, or everybody's where they are staff."""
    return None if caller().is_staff else caller().id


def acting_for(user_id: int | None) -> int:
    """The user whom the request names, else the caller. Raises NotAllowed where a customer names another one."""
    if user_id not in (None, caller().id) and not caller().is_staff:
        raise NotAllowed
    return user_id or caller().id


def _known() -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").strip(" ").partition(" ")
    found = tokens.caller(of_request(), token.lstrip(" ")) if scheme.lower() == SCHEME else None
    if found is None:
        raise SignInRequired
    return found
