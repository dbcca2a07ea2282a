"""/api/products"""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.api.pages import page
from app.api.payloads import NewProduct, Page
from app.database import db, reading
from app.models import Product
from app.products import add, find, newest

blueprint = Blueprint("products", __name__, url_prefix="/products")


@blueprint.post("")
def post() -> ResponseReturnValue:
    new = NewProduct.of(request)
    product = add(db.session(), new.sku, new.name, new.price_cents, new.stock)
    created = _shown(product), 201, {"Location": url_for(".get", product_id=product.id)}
    db.session.commit()
    return created


@blueprint.get("")
def index() -> ResponseReturnValue:
    asked = Page.of(request)
    return page("products", asked, [_shown(product) for product in newest(reading(), asked.limit, asked.before)])


@blueprint.get("/<id:product_id>")
def get(product_id: int) -> ResponseReturnValue:
    return _shown(find(reading(), product_id))


def _shown(product: Product) -> dict[str, object]:
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "price_cents": product.price_cents,
        "stock": product.stock,
        "created_at": product.created_at.isoformat(),
    }
