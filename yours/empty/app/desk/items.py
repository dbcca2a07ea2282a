"""/items"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app import items
from app.cursors import Place
from app.database import db, reading
from app.desk.forms import NewItem, Page, Unfit

ON_A_PAGE = 50

blueprint = Blueprint("items", __name__, url_prefix="/items")


@blueprint.get("")
def index() -> ResponseReturnValue:
    try:
        return _page(Page.of(request.args).after)
    except Unfit:
        raise BadRequest from None


@blueprint.post("")
def post() -> ResponseReturnValue:
    try:
        asked = NewItem.of(request.form)
    except Unfit as unfit:
        return _page(typed=request.form, errors=unfit.errors), HTTPStatus.UNPROCESSABLE_ENTITY
    items.add(db.session(), asked.name)
    db.session.commit()
    flash(f"{asked.name} is added.")
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


def _page(
    after: Place | None = None, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> str:
    """With one more than there is room for looked up, to know whether there are older ones."""
    found = items.newest(reading(), ON_A_PAGE + 1, after)
    shown, more = found[:ON_A_PAGE], found[ON_A_PAGE:]
    return render_template(
        "items.html",
        form=NewItem,
        typed=typed or {},
        errors=errors or {},
        items=shown,
        newest=url_for(".index") if after else None,
        older=url_for(".index", cursor=shown[-1].place.cursor) if more else None,
    )
