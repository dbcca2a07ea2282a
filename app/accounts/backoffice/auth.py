"""Staff sessions of the back office: a token in a signed cookie, looked up with every request."""

import hashlib
from datetime import timedelta
from typing import NamedTuple, cast

import flask
from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.accounts import tokens
from app.accounts.errors import NotAllowed
from app.accounts.models import Role, User
from groundwork.flask.database import request_session

LONGEST = timedelta(hours=12)
"""A shift, after which the password is required again."""
NAME = "back office"
"""Name of a session's token among the user's tokens."""
FOR_EVERYBODY = {"backoffice.static", "backoffice.sign_in.get", "backoffice.sign_in.post", "backoffice.sign_in.leave"}


class Clerk(NamedTuple):
    id: int
    name: str


def begin(session: Session, user: User) -> None:
    """Start a session; end the one that the cookie held before."""
    end(session)
    _, shown = tokens.issue(session, user, NAME, LONGEST, tokens.DESK_PREFIX)
    flask.session.update(token=shown, key=_key(user))


def end(session: Session) -> None:
    """End the session on the server too, so that a copy of the cookie is useless."""
    if "token" in flask.session:
        tokens.give_up(session, flask.session["token"])
    flask.session.clear()


def clerk() -> Clerk:
    """Return the signed-in clerk; use it only on pages for the staff."""
    return cast("Clerk", g.clerk)


def admit() -> ResponseReturnValue | None:
    """Redirect to the sign-in before each page if nobody is signed in; raise NotAllowed for a user who is not staff."""
    if request.endpoint in FOR_EVERYBODY:
        return None
    user = _signed_in()
    if user is None:
        return redirect(url_for("backoffice.sign_in.get", next=request.full_path.removesuffix("?")))
    if user.role is not Role.STAFF:
        raise NotAllowed
    g.clerk = Clerk(user.id, user.name)
    return None


def _signed_in() -> User | None:
    kept = flask.session
    user = tokens.user(request_session(), kept["token"]) if "token" in kept else None
    return user if user and kept["key"] == _key(user) else None


def _key(user: User) -> str:
    """Return a value that changes with the password, so that a new password ends earlier sessions."""
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()[:16]
