"""/api/products"""

from http import HTTPStatus

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.api import answers
from app.api.operation import Operation
from app.api.pages import following
from app.api.payloads import NewProduct, Page
from app.database import db, reading
from app.errors import SkuTaken, UnknownProduct
from app.models import Product
from app.products import add, find, newest

blueprint = Blueprint("products", __name__, url_prefix="/products")


@blueprint.post("")
@Operation("addProduct", body=NewProduct, gives={HTTPStatus.CREATED: answers.Product}, refusals=[SkuTaken])
def post() -> ResponseReturnValue:
    """Add a product."""
    new = NewProduct.of(request)
    product = add(db.session(), new.sku, new.name, new.price_cents, new.stock)
    created = _shown(product), 201, {"Location": url_for(".get", product_id=product.id)}
    db.session.commit()
    return created


@blueprint.get("")
@Operation("listProducts", query=Page, gives={HTTPStatus.OK: answers.ProductPage})
def index() -> ResponseReturnValue:
    """List products, the newest first."""
    asked = Page.of(request)
    products = [_shown(product) for product in newest(reading(), asked.limit, asked.before)]
    return answers.ProductPage(products=products, next=following(asked, products))


@blueprint.get("/<id:product_id>")
@Operation("getProduct", gives={HTTPStatus.OK: answers.Product}, refusals=[UnknownProduct])
def get(product_id: int) -> ResponseReturnValue:
    """Show a product."""
    return _shown(find(reading(), product_id))


def _shown(product: Product) -> answers.Product:
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "price_cents": product.price_cents,
        "stock": product.stock,
        "created_at": product.created_at.isoformat(),
    }
