"""Endpoints under /api/tokens."""

from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app.accounts import tokens
from app.accounts.api import responses
from app.accounts.api.auth import SIGNED_IN, caller
from app.accounts.api.requests import NewToken
from app.accounts.errors import UnknownToken, WrongCredentials
from app.accounts.models import Token
from app.accounts.sign_in import sign_in
from groundwork.flask.database import db, readonly_session
from groundwork.flask.http.openapi.operation import EVERYBODY, Operation
from groundwork.flask.security.login_throttle import TooManyAttempts
from groundwork.flask.security.passwords import TooManyPasswords

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")


@blueprint.post("")
@Operation(
    "signIn",
    allowed=EVERYBODY,
    body=NewToken,
    gives={HTTPStatus.OK: responses.NewToken},
    refusals=[WrongCredentials, TooManyAttempts, TooManyPasswords],
)
def post() -> ResponseReturnValue:
    """Sign in: make a token.

    It is shown this once. Send it with other requests, as `Authorization: Bearer …`.
    """
    asked = NewToken.of(request)
    session = db.session()
    user = sign_in(session, asked.email, asked.password.get_secret_value(), request.remote_addr or "")
    token, shown = tokens.issue(session, user, asked.name, timedelta(days=asked.days))
    answer = responses.NewToken(**_shown(token), user_id=user.id, role=user.role, token=shown)
    session.commit()
    return answer, {"Cache-Control": "no-store"}


@blueprint.get("")
@Operation("listTokens", allowed=SIGNED_IN, gives={HTTPStatus.OK: responses.Tokens})
def index() -> ResponseReturnValue:
    """List your tokens, the newest first, those that are over too."""
    return responses.Tokens(tokens=[_shown(token) for token in tokens.list_tokens(readonly_session(), caller().id)])


@blueprint.delete("/<id:token_id>")
@Operation("revokeToken", allowed=SIGNED_IN, gives={HTTPStatus.NO_CONTENT: None}, refusals=[UnknownToken])
def delete(token_id: int) -> ResponseReturnValue:
    """Revoke a token of yours, from this moment on."""
    tokens.revoke(db.session(), caller().id, token_id)
    db.session.commit()
    return "", HTTPStatus.NO_CONTENT


def _shown(token: Token) -> responses.Token:
    return {
        "id": token.id,
        "name": token.name,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
    }
