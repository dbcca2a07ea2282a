"""What is sold."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cursors import Place
from app.database import refusal
from app.errors import SkuTaken, UnknownProduct
from app.models import ONE_PRODUCT_PER_SKU, Product


def add(session: Session, sku: str, name: str, price_cents: int, stock: int) -> Product:
    """Raises SkuTaken."""
    product = Product(sku=sku, name=name, price_cents=price_cents, stock=stock)
    with refusal(session, ONE_PRODUCT_PER_SKU, SkuTaken(sku)):
        session.add(product)
    return product


def change(session: Session, product: Product, name: str, price_cents: int, stock: int) -> None:
    product.name, product.price_cents, product.stock = name, price_cents, stock
    session.flush()


def find(session: Session, product_id: int, *, to_change: bool = False) -> Product:
    """Nobody else changes it until the transaction ends where it is found `to_change`. Raises UnknownProduct."""
    product = session.get(Product, product_id, with_for_update=to_change or None, populate_existing=to_change)
    if product is None:
        raise UnknownProduct([product_id])
    return product


def newest(session: Session, limit: int, after: Place | None = None) -> Sequence[Product]:
    """The newest first; those that come after that place in the list, where it is given."""
    statement = select(Product).order_by(Product.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(Product.id < after.id)
    return session.scalars(statement).all()
