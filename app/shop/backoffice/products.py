"""Pages under /products."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app.shop import products
from app.shop.backoffice.filters import amount
from app.shop.backoffice.forms import ProductForm
from app.shop.models import Product
from groundwork.flask.database import db, readonly_session
from groundwork.flask.errors import StaleVersion
from groundwork.flask.http import error_handlers
from groundwork.flask.http.forms import InvalidForm, PageForm

ON_A_PAGE = 50

blueprint = Blueprint("products", __name__, url_prefix="/products")


@blueprint.get("")
def index() -> ResponseReturnValue:
    try:
        after = PageForm.of(request.args).after
    except InvalidForm:
        raise BadRequest from None
    found = products.list_products(readonly_session(), ON_A_PAGE + 1, after)
    shown, more = found[:ON_A_PAGE], found[ON_A_PAGE:]
    return render_template(
        "products.html",
        products=shown,
        newest=url_for(".index") if after else None,
        older=url_for(".index", cursor=shown[-1].page_key.cursor) if more else None,
    )


@blueprint.get("/<id:product_id>")
def get(product_id: int) -> ResponseReturnValue:
    product = products.find(readonly_session(), product_id)
    return _page(product, _values(product))


@blueprint.post("/<id:product_id>")
def post(product_id: int) -> ResponseReturnValue:
    product = products.find(db.session(), product_id, to_change=True)
    try:
        asked = ProductForm.of(request.form)
    except InvalidForm as unfit:
        return _page(product, request.form, errors=unfit.errors), HTTPStatus.UNPROCESSABLE_ENTITY
    if asked.seen != product.version:
        return _page(product, request.form, now=_values(product)), error_handlers.describe(StaleVersion)[0]
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
    """Render the form with the typed values and, after a concurrent change, with the product's values `now`."""
    return render_template(
        "product.html",
        form=ProductForm,
        product=product,
        typed=typed,
        errors=errors or {},
        now=now,
        seen=product.version if now else typed.get("seen", product.version),
    )


def _values(product: Product) -> dict[str, str]:
    """Return the values as a user types them."""
    return {"name": product.name, "price": amount(product.price_cents), "stock": str(product.stock)}
