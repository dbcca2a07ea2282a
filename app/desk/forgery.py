"""Posts that another site has somebody's browser send: told from our own by a token, and by where they come from."""

import secrets
from hmac import compare_digest
from urllib.parse import urlsplit

import flask
from flask import current_app, request
from werkzeug.exceptions import BadRequest

BYTES = 16
FIELD = "forgery_token"
TOO_OLD = "The form was too old, or did not come from this page. Please go back, reload, and try again."
NEEDS_TLS = "This page needs TLS: browsers keep its cookie only with an address that begins with https://."


def token() -> str:
    """What a form sends along. It looks different each time, so that a compressed page does not give it away."""
    secret = bytes.fromhex(flask.session.setdefault(FIELD, secrets.token_hex(BYTES)))
    pad = secrets.token_bytes(BYTES)
    return (pad + _xor(pad, secret)).hex()


def refuse() -> None:
    """Before each page. Raises BadRequest."""
    if request.method == "POST" and not (_is_from_here() and _knows_the_token()):
        raise BadRequest(NEEDS_TLS if _is_without_cookie() else TOO_OLD)


def _is_without_cookie() -> bool:
    """Return whether the browser had to drop the cookie, which is sent over TLS only."""
    return current_app.config["SESSION_COOKIE_SECURE"] and not request.is_secure and FIELD not in flask.session


def _is_from_here() -> bool:
    origin = request.headers.get("Origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.host
    except ValueError:  # such as http://[
        return False


def _knows_the_token() -> bool:
    try:
        given = bytes.fromhex(request.form.get(FIELD, ""))
        secret = bytes.fromhex(flask.session.get(FIELD, ""))
    except ValueError:
        return False
    return bool(secret) and len(given) == 2 * BYTES and compare_digest(_xor(given[:BYTES], given[BYTES:]), secret)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
