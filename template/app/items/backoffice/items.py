"""/items"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app.items import items
from app.items.backoffice.forms import NewItem
from groundwork.flask.database import db, readonly_session
from groundwork.flask.http.forms import InvalidForm, PageForm
from groundwork.flask.http.pagination import PageKey

ON_A_PAGE = 50

blueprint = Blueprint("items", __name__, template_folder="templates", url_prefix="/items")


@blueprint.get("")
def index() -> ResponseReturnValue:
    try:
        return _page(PageForm.of(request.args).after)
    except InvalidForm:
        raise BadRequest from None


@blueprint.post("")
def post() -> ResponseReturnValue:
    try:
        asked = NewItem.of(request.form)
    except InvalidForm as unfit:
        return _page(typed=request.form, errors=unfit.errors), HTTPStatus.UNPROCESSABLE_ENTITY
    items.add(db.session(), asked.name)
    db.session.commit()
    flash(f"{asked.name} is added.")
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


def _page(
    after: PageKey | None = None, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> str:
    """Look up one more than the page shows, to know whether there are older ones."""
    found = items.list_items(readonly_session(), ON_A_PAGE + 1, after)
    shown, more = found[:ON_A_PAGE], found[ON_A_PAGE:]
    return render_template(
        "items.html",
        form=NewItem,
        typed=typed or {},
        errors=errors or {},
        items=shown,
        newest=url_for(".index") if after else None,
        older=url_for(".index", cursor=shown[-1].page_key.cursor) if more else None,
    )
