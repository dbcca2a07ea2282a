"""Endpoints under /api/products."""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.api.auth import STAFF
from app.shop.api import responses
from app.shop.api.requests import NewProduct, ProductChange
from app.shop.errors import SkuTaken, UnknownProduct
from app.shop.models import Product
from app.shop.products import add, change, find, list_products
from groundwork.flask.database import db, readonly_session
from groundwork.flask.errors import PreconditionMissing, StaleVersion
from groundwork.flask.http.openapi.operation import ETAG, EVERYBODY, IF_MATCH, Operation
from groundwork.flask.http.pagination import next_page
from groundwork.flask.http.requests import Page

blueprint = Blueprint("products", __name__, url_prefix="/products")


@blueprint.post("")
@Operation(
    "addProduct",
    allowed=STAFF,
    body=NewProduct,
    gives={HTTPStatus.CREATED: responses.Product},
    sends=[ETAG],
    refusals=[SkuTaken],
)
def post() -> ResponseReturnValue:
    """Add a product."""
    new = NewProduct.of(request)
    product = add(db.session(), new.sku, new.name, new.price_cents, new.stock)
    created = _answer(product)
    db.session.commit()
    return created, HTTPStatus.CREATED, {"Location": url_for(".get", product_id=product.id)}


@blueprint.get("")
@Operation("listProducts", allowed=EVERYBODY, query=Page, gives={HTTPStatus.OK: responses.ProductPage})
def index() -> ResponseReturnValue:
    """List products, the newest first."""
    asked = Page.of(request)
    products = list_products(readonly_session(), asked.limit, asked.after)
    return responses.ProductPage(
        products=[_shown(product) for product in products], next=next_page(products, asked.limit)
    )


@blueprint.get("/<id:product_id>")
@Operation(
    "getProduct", allowed=EVERYBODY, gives={HTTPStatus.OK: responses.Product}, sends=[ETAG], refusals=[UnknownProduct]
)
def get(product_id: int) -> ResponseReturnValue:
    """Show a product."""
    return _answer(find(readonly_session(), product_id))


@blueprint.put("/<id:product_id>")
@Operation(
    "changeProduct",
    allowed=STAFF,
    body=ProductChange,
    accepts=[IF_MATCH],
    gives={HTTPStatus.OK: responses.Product},
    sends=[ETAG],
    refusals=[UnknownProduct, PreconditionMissing, StaleVersion],
)
def put(product_id: int) -> ResponseReturnValue:
    """Change a product.

    Nothing is overwritten that was not seen: the change is refused where a sale, or somebody else, was faster.
    """
    asked = ProductChange.of(request)
    if not request.if_match:
        raise PreconditionMissing
    product = find(db.session(), product_id, to_change=True)
    # Weak comparison, since a compressing proxy weakens the ETag; it is a hash of the content in any case.
    if not request.if_match.contains_weak(product.version):
        raise StaleVersion
    change(db.session(), product, asked.name, asked.price_cents, asked.stock)
    changed = _answer(product)
    db.session.commit()
    return changed


def _answer(product: Product) -> Response:
    response = jsonify(_shown(product))
    response.set_etag(product.version)
    return response


def _shown(product: Product) -> responses.Product:
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "price_cents": product.price_cents,
        "stock": product.stock,
        "created_at": product.created_at.isoformat(),
    }
