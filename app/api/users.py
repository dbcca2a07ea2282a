"""/api/users"""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.api.payloads import NewUser
from app.database import db, reading
from app.models import User
from app.users import find, register

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.post("")
def post() -> ResponseReturnValue:
    new = NewUser.of(request)
    user = register(db.session(), new.email, new.name)
    created = _shown(user), 201, {"Location": url_for(".get", user_id=user.id)}
    db.session.commit()
    return created


@blueprint.get("/<id:user_id>")
def get(user_id: int) -> ResponseReturnValue:
    return _shown(find(reading(), user_id))


def _shown(user: User) -> dict[str, object]:
    return {"id": user.id, "email": user.email, "name": user.name, "created_at": user.created_at.isoformat()}
