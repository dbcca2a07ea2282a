"""Pages /sign-in and /sign-out."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.backoffice import auth
from app.accounts.backoffice.forms import Credentials
from app.accounts.errors import NotAllowed, WrongCredentials
from app.accounts.models import Role
from app.accounts.sign_in import sign_in
from groundwork.flask.database import db
from groundwork.flask.errors import DomainError
from groundwork.flask.http import error_handlers
from groundwork.flask.http.forms import InvalidForm
from groundwork.flask.security.login_throttle import TooManyAttempts
from groundwork.flask.security.passwords import TooManyPasswords

OF_THIS_SITE = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""Printable paths of this host only: browsers read `\\` as `/`, and skip tabs and line breaks."""

blueprint = Blueprint("sign_in", __name__, template_folder="templates")


@blueprint.get("/sign-in")
def get() -> ResponseReturnValue:
    return _page()


@blueprint.post("/sign-in")
def post() -> ResponseReturnValue:
    try:
        _begin(Credentials.of(request.form))
    except InvalidForm as unfit:
        return _page(errors=unfit.errors), HTTPStatus.UNPROCESSABLE_ENTITY
    except (WrongCredentials, TooManyAttempts, TooManyPasswords, NotAllowed) as refusal:
        return _page(refusal), error_handlers.describe(type(refusal))[0]
    wanted = request.form.get("next", "")
    return redirect(
        wanted if OF_THIS_SITE.fullmatch(wanted) else url_for(current_app.config["HOME"]), HTTPStatus.SEE_OTHER
    )


@blueprint.post("/sign-out")
def leave() -> ResponseReturnValue:
    session = db.session()
    auth.end(session)
    session.commit()
    flash("You are signed out.")
    return redirect(url_for(".get"), HTTPStatus.SEE_OTHER)


def _begin(asked: Credentials) -> None:
    """Sign in a member of the staff. Raise TooManyAttempts, WrongCredentials or, for a customer, NotAllowed."""
    session = db.session()
    user = sign_in(session, asked.email, asked.password.get_secret_value(), request.remote_addr or "")
    is_staff = user.role is Role.STAFF
    if is_staff:
        auth.begin(session, user)
    session.commit()
    if not is_staff:
        raise NotAllowed


def _page(refusal: DomainError | None = None, errors: Mapping[str, str] | None = None) -> str:
    return render_template("sign_in.html", form=Credentials, errors=errors or {}, refusal=refusal)
