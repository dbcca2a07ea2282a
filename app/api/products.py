"""/api/products"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app.api import answers
from app.api.operation import ETAG, EVERYBODY, IF_MATCH, STAFF, Operation
from app.api.pages import following
from app.api.payloads import NewProduct, Page, ProductChange
from app.database import db, reading
from app.errors import ChangedMeanwhile, PreconditionMissing, SkuTaken, UnknownProduct
from app.models import Product
from app.products import add, change, find, newest

blueprint = Blueprint("products", __name__, url_prefix="/products")


@blueprint.post("")
@Operation(
    "addProduct",
    allowed=STAFF,
    body=NewProduct,
    gives={HTTPStatus.CREATED: answers.Product},
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
@Operation("listProducts", allowed=EVERYBODY, query=Page, gives={HTTPStatus.OK: answers.ProductPage})
def index() -> ResponseReturnValue:
    """List products, the newest first."""
    asked = Page.of(request)
    products = newest(reading(), asked.limit, asked.after)
    return answers.ProductPage(
        products=[_shown(product) for product in products], next=following(products, asked.limit)
    )


@blueprint.get("/<id:product_id>")
@Operation(
    "getProduct", allowed=EVERYBODY, gives={HTTPStatus.OK: answers.Product}, sends=[ETAG], refusals=[UnknownProduct]
)
def get(product_id: int) -> ResponseReturnValue:
    """Show a product."""
    return _answer(find(reading(), product_id))


@blueprint.put("/<id:product_id>")
@Operation(
    "changeProduct",
    allowed=STAFF,
    body=ProductChange,
    accepts=[IF_MATCH],
    gives={HTTPStatus.OK: answers.Product},
    sends=[ETAG],
    refusals=[UnknownProduct, PreconditionMissing, ChangedMeanwhile],
)
def put(product_id: int) -> ResponseReturnValue:
    """Change a product.

    Nothing is overwritten that was not seen: the change is refused where a sale, or somebody else, was faster.
    """
    asked = ProductChange.of(request)
    if not request.if_match:
        raise PreconditionMissing
    product = find(db.session(), product_id, to_change=True)
    # Weakly, since a proxy that compresses makes it a weak one; it is of the content in any case.
    if not request.if_match.contains_weak(product.version):
        raise ChangedMeanwhile
    change(db.session(), product, asked.name, asked.price_cents, asked.stock)
    changed = _answer(product)
    db.session.commit()
    return changed


def _answer(product: Product) -> Response:
    response = jsonify(_shown(product))
    response.set_etag(product.version)
    return response


def _shown(product: Product) -> answers.Product:
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "price_cents": product.price_cents,
        "stock": product.stock,
        "created_at": product.created_at.isoformat(),
    }
