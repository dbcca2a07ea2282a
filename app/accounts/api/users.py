"""Endpoints under /api/users."""

from http import HTTPStatus

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.api import responses
from app.accounts.api.auth import SIGNED_IN, only_theirs
from app.accounts.api.requests import NewUser
from app.accounts.errors import EmailTaken, KnownPassword, UnknownUser
from app.accounts.models import User
from app.accounts.users import find, register
from groundwork.flask.database import db, readonly_session
from groundwork.flask.http.openapi.operation import EVERYBODY, Operation
from groundwork.flask.security import login_throttle
from groundwork.flask.security.login_throttle import TooManyRegistrations
from groundwork.flask.security.passwords import TooManyPasswords

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.post("")
@Operation(
    "registerUser",
    allowed=EVERYBODY,
    body=NewUser,
    gives={HTTPStatus.CREATED: responses.User},
    refusals=[EmailTaken, KnownPassword, TooManyRegistrations, TooManyPasswords],
)
def post() -> ResponseReturnValue:
    """Register, as a customer.

    An address is one user's, whatever the case of A to Z in it.
    """
    new = NewUser.of(request)
    session = db.session()
    login_throttle.count_registration(session, request.remote_addr or "")
    session.commit()
    user = register(session, new.email, new.name, new.password.get_secret_value())
    created = _shown(user), 201, {"Location": url_for(".get", user_id=user.id)}
    session.commit()
    return created


@blueprint.get("/<id:user_id>")
@Operation("getUser", allowed=SIGNED_IN, gives={HTTPStatus.OK: responses.User}, refusals=[UnknownUser])
def get(user_id: int) -> ResponseReturnValue:
    """Show a user; to customers, themselves."""
    if only_theirs() not in (None, user_id):
        raise UnknownUser(user_id)
    return _shown(find(readonly_session(), user_id))


def _shown(user: User) -> responses.User:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "created_at": user.created_at.isoformat(),
    }
