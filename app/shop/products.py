"""Products and their stock."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.shop.errors import SkuTaken, UnknownProduct
from app.shop.models import ONE_PRODUCT_PER_SKU, Product
from groundwork.flask.database import translate_violation
from groundwork.flask.http.pagination import PageKey


def add(session: Session, sku: str, name: str, price_cents: int, stock: int) -> Product:
    """Add a product; raise SkuTaken if another one has the SKU."""
    product = Product(sku=sku, name=name, price_cents=price_cents, stock=stock)
    with translate_violation(session, ONE_PRODUCT_PER_SKU, SkuTaken(sku)):
        session.add(product)
    return product


def change(session: Session, product: Product, name: str, price_cents: int, stock: int) -> None:
    product.name, product.price_cents, product.stock = name, price_cents, stock
    session.flush()


def find(session: Session, product_id: int, *, to_change: bool = False) -> Product:
    """Return the product, locked until the transaction ends if `to_change`. Raise UnknownProduct if it is missing."""
    product = session.get(Product, product_id, with_for_update=to_change or None, populate_existing=to_change)
    if product is None:
        raise UnknownProduct([product_id])
    return product


def list_products(session: Session, limit: int, after: PageKey | None = None) -> Sequence[Product]:
    """Return products, newest first; if `after` is given, those that follow it in the list."""
    statement = select(Product).order_by(Product.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(Product.id < after.id)
    return session.scalars(statement).all()
