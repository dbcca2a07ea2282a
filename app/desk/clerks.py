"""Who sits at the desk: named by a signed cookie, and looked up with every request."""

import hashlib
from datetime import timedelta
from time import time
from typing import NamedTuple, cast

import flask
from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import users
from app.database import of_request
from app.errors import NotAllowed, UnknownUser
from app.models import Role, User

LONGEST = timedelta(hours=12)
"""A shift. Then the password is asked for again."""
FOR_EVERYBODY = {"desk.static", "desk.sign_in.get", "desk.sign_in.post", "desk.sign_in.leave"}


class Clerk(NamedTuple):
    id: int
    name: str


def begin(user: User) -> None:
    """Whatever the cookie held before is gone."""
    flask.session.clear()
    flask.session.update(user=user.id, since=int(time()), key=_key(user))


def end() -> None:
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
    if "user" not in kept or time() - kept["since"] > LONGEST.total_seconds():
        return None
    try:
        user = users.find(of_request(), kept["user"])
    except UnknownUser:
        return None
    return user if kept["key"] == _key(user) else None


def _key(user: User) -> str:
    """Another one with another password, which so ends what was begun with the one before."""
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()[:16]
