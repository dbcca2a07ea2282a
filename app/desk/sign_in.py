"""/sign-in, /sign-out"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import problems
from app.database import db
from app.desk import clerks
from app.desk.forms import Credentials, Unfit
from app.errors import NotAllowed, Refusal, TooManyAttempts, TooManyPasswords, WrongCredentials
from app.models import Role
from app.sign_in import sign_in

OF_THIS_SITE = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""Printable, and no other host's: browsers read `\\` as `/`, and pass over tabs and line breaks."""

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
def get() -> ResponseReturnValue:
    return _page()


@blueprint.post("/sign-in")
def post() -> ResponseReturnValue:
    try:
        _begin(Credentials.of(request.form))
    except Unfit as unfit:
        return _page(errors=unfit.errors), HTTPStatus.UNPROCESSABLE_ENTITY
    except (WrongCredentials, TooManyAttempts, TooManyPasswords, NotAllowed) as refusal:
        return _page(refusal), problems.of(type(refusal))[0]
    wanted = request.form.get("next", "")
    return redirect(wanted if OF_THIS_SITE.fullmatch(wanted) else url_for("desk.orders.index"), HTTPStatus.SEE_OTHER)


@blueprint.post("/sign-out")
def leave() -> ResponseReturnValue:
    session = db.session()
    clerks.end(session)
    session.commit()
    flash("You are signed out.")
    return redirect(url_for(".get"), HTTPStatus.SEE_OTHER)


def _begin(asked: Credentials) -> None:
    """Raises TooManyAttempts, WrongCredentials or, where it is a customer, NotAllowed."""
    session = db.session()
    user = sign_in(session, asked.email, asked.password.get_secret_value(), request.remote_addr or "")
    is_staff = user.role is Role.STAFF
    if is_staff:
        clerks.begin(session, user)
    session.commit()
    if not is_staff:
        raise NotAllowed


def _page(refusal: Refusal | None = None, errors: Mapping[str, str] | None = None) -> str:
    return render_template("sign_in.html", form=Credentials, errors=errors or {}, refusal=refusal)
