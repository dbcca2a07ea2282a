"""/products"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app import problems, products
from app.database import db, reading
from app.desk.forms import Change, Shelf, Unfit
from app.desk.words import amount
from app.errors import ChangedMeanwhile
from app.models import Product

ON_A_PAGE = 50

blueprint = Blueprint("products", __name__, url_prefix="/products")


@blueprint.get("")
def index() -> ResponseReturnValue:
    try:
        after = Shelf.of(request.args).after
    except Unfit:
        raise BadRequest from None
    found = products.newest(reading(), ON_A_PAGE + 1, after)
    shown, more = found[:ON_A_PAGE], found[ON_A_PAGE:]
    return render_template(
        "products.html",
        products=shown,
        newest=url_for(".index") if after else None,
        older=url_for(".index", cursor=shown[-1].place.cursor) if more else None,
    )


@blueprint.get("/<id:product_id>")
def get(product_id: int) -> ResponseReturnValue:
    product = products.find(reading(), product_id)
    return _page(product, _values(product))


@blueprint.post("/<id:product_id>")
def post(product_id: int) -> ResponseReturnValue:
    product = products.find(db.session(), product_id, to_change=True)
    try:
        asked = Change.of(request.form)
    except Unfit as unfit:
        return _page(product, request.form, errors=unfit.errors), HTTPStatus.UNPROCESSABLE_ENTITY
    if asked.seen != product.version:
        return _page(product, request.form, now=_values(product)), problems.of(ChangedMeanwhile)[0]
    products.change(db.session(), product, asked.name, asked.price, asked.stock)
    db.session.commit()
    flash(f"{asked.name} is saved.")
    return redirect(url_for(".get", product_id=product_id), HTTPStatus.SEE_OTHER)


def _page(
    product: Product,
    typed: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    now: Mapping[str, str] | None = None,
) -> str:
    """With what was typed; and, where somebody was faster, with what the product is `now`."""
    return render_template(
        "product.html",
        form=Change,
        product=product,
        typed=typed,
        errors=errors or {},
        now=now,
        seen=product.version if now else typed.get("seen", product.version),
    )


def _values(product: Product) -> dict[str, str]:
    """As they are typed."""
    return {"name": product.name, "price": amount(product.price_cents), "stock": str(product.stock)}
