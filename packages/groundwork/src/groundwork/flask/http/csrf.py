"""CSRF protection of the pages' forms, by Flask-WTF: a signed token in each form and, over TLS, the Referer."""

import flask
from flask import current_app, request
from flask.sansio.app import App
from flask_wtf.csrf import CSRFError, CSRFProtect  # type: ignore[import-untyped]  # it has no annotations
from werkzeug.exceptions import BadRequest

FIELD = "csrf_token"
TOO_OLD = "The form was too old, or did not come from this page. Please go back, reload, and try again."
NEEDS_TLS = "This page needs TLS: browsers keep its cookie only with an address that begins with https://."

protection = CSRFProtect()


def init_app(app: App) -> None:
    """Set up Flask-WTF without its check of all requests: the API needs none. A token lasts as long as its session."""
    app.config.from_mapping(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_FIELD_NAME=FIELD, WTF_CSRF_TIME_LIMIT=None)
    protection.init_app(app)


def refuse() -> None:
    """Check each POST before its view; raise BadRequest if the token or, over TLS, the origin is wrong."""
    try:
        protection.protect()
    except (CSRFError, AttributeError, ValueError):
        # Flask-WTF fails with AttributeError if a part of a multipart body has no name, and with ValueError if the
        # Referer is not a URL.
        raise BadRequest(NEEDS_TLS if _is_without_cookie() else TOO_OLD) from None


def _is_without_cookie() -> bool:
    """Return whether the browser had to drop the cookie, which is sent over TLS only."""
    return current_app.config["SESSION_COOKIE_SECURE"] and not request.is_secure and FIELD not in flask.session
