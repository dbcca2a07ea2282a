"""Authentication and authorization of API requests."""

from typing import cast

from flask import current_app, g, request

from app.accounts import tokens
from app.accounts.errors import NotAllowed, SignInRequired
from app.accounts.models import Role
from app.accounts.tokens import Caller
from groundwork.flask.database import request_session
from groundwork.flask.http.openapi import operation
from groundwork.flask.http.openapi.operation import Access

SIGNED_IN = Access(frozenset(Role), (SignInRequired,))
STAFF = Access(frozenset({Role.STAFF}), (SignInRequired, NotAllowed))

SCHEME = "bearer"
"""In lower case: RFC 9110, section 11.1, allows any case, and one or more spaces before the token."""


def admit() -> None:
    """Authorize the caller before each view of the API; deny a view that declares no `Operation` to everybody.

    Raise SignInRequired without a valid token, NotAllowed if the caller's role may not call the view.
    """
    promised = operation.find(current_app.view_functions[request.endpoint or ""])
    if promised is None:
        raise NotAllowed
    if promised.allowed.roles:
        g.caller = _known()
        if g.caller.role not in promised.allowed.roles:
            raise NotAllowed


def caller() -> Caller:
    """Return the caller; use it only in views that need a token."""
    return cast("Caller", g.caller)


def only_theirs() -> int | None:
    """Return the id of the user whose data the caller may access; None for staff, who may access all."""
    return None if caller().is_staff else caller().id


def acting_for(user_id: int | None) -> int:
    """Return the user that the request names, or else the caller. Raise NotAllowed if a customer names another one."""
    if user_id not in (None, caller().id) and not caller().is_staff:
        raise NotAllowed
    return user_id or caller().id


def _known() -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").strip(" ").partition(" ")
    found = tokens.caller(request_session(), token.lstrip(" ")) if scheme.lower() == SCHEME else None
    if found is None:
        raise SignInRequired
    return found
