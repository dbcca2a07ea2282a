"""Who sits at the desk: named by a token in a signed cookie, and looked up with every request."""

import hashlib
from datetime import timedelta
from typing import NamedTuple, cast

import flask
from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import tokens
from app.database import of_request
from app.errors import NotAllowed
from app.models import Role, User

LONGEST = timedelta(hours=12)
"""A shift. Then the password is asked for again."""
NAME = "order desk"
"""Of what was begun, among the user's tokens."""
FOR_EVERYBODY = {"desk.static", "desk.sign_in.get", "desk.sign_in.post", "desk.sign_in.leave"}


class Clerk(NamedTuple):
    id: int
    name: str


def begin(session: Session, user: User) -> None:
    """Whatever the cookie held before is gone."""
    end(session)
    _, shown = tokens.issue(session, user, NAME, LONGEST, tokens.DESK_PREFIX)
    flask.session.update(token=shown, key=_key(user))


def end(session: Session) -> None:
    """On the server too: a copy of the cookie is no good any more."""
    if "token" in flask.session:
        tokens.give_up(session, flask.session["token"])
    flask.session.clear()


def clerk() -> Clerk:
    """On a page that is for the staff."""
    return cast("Clerk", g.clerk)


def admit() -> ResponseReturnValue | None:
    """Before each page: leads those whom nobody knows to the sign-in. Raises NotAllowed."""
    if request.endpoint in FOR_EVERYBODY:
        return None
    user = _signed_in()
    if user is None:
        return redirect(url_for("desk.sign_in.get", next=request.full_path.removesuffix("?")))
    if user.role is not Role.STAFF:
        raise NotAllowed
    g.clerk = Clerk(user.id, user.name)
    return None


def _signed_in() -> User | None:
    kept = flask.session
    user = tokens.user(of_request(), kept["token"]) if "token" in kept else None
    return user if user and kept["key"] == _key(user) else None


def _key(user: User) -> str:
    """Another one with another password, which so ends what was begun with the one before."""
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()[:16]
