"""/api/users"""

from http import HTTPStatus

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app import attempts
from app.api import answers
from app.api.callers import only_theirs
from app.api.operation import EVERYBODY, SIGNED_IN, Operation
from app.api.payloads import NewUser
from app.database import db, reading
from app.errors import EmailTaken, TooManyPasswords, TooManyRegistrations, UnknownUser
from app.models import User
from app.users import find, register

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.post("")
@Operation(
    "registerUser",
    allowed=EVERYBODY,
    body=NewUser,
    gives={HTTPStatus.CREATED: answers.User},
    refusals=[EmailTaken, TooManyRegistrations, TooManyPasswords],
)
def post() -> ResponseReturnValue:
    """Register, as a customer.

    An address is one user's, whatever the case of A to Z in it.
    """
    new = NewUser.of(request)
    session = db.session()
    attempts.count_registration(session, request.remote_addr or "")
    session.commit()
    user = register(session, new.email, new.name, new.password.get_secret_value())
    created = _shown(user), 201, {"Location": url_for(".get", user_id=user.id)}
    session.commit()
    return created


@blueprint.get("/<id:user_id>")
@Operation("getUser", allowed=SIGNED_IN, gives={HTTPStatus.OK: answers.User}, refusals=[UnknownUser])
def get(user_id: int) -> ResponseReturnValue:
    """Show a user; to customers, themselves."""
    if only_theirs() not in (None, user_id):
        raise UnknownUser(user_id)
    return _shown(find(reading(), user_id))


def _shown(user: User) -> answers.User:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "created_at": user.created_at.isoformat(),
    }
