"""What is sold."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import refusal
from app.errors import SkuTaken, UnknownProduct
from app.models import ONE_PRODUCT_PER_SKU, Product


def add(session: Session, sku: str, name: str, price_cents: int, stock: int) -> Product:
    """Raises SkuTaken."""
    product = Product(sku=sku, name=name, price_cents=price_cents, stock=stock)
    with refusal(session, ONE_PRODUCT_PER_SKU, SkuTaken(sku)):
        session.add(product)
    return product


def find(session: Session, product_id: int) -> Product:
    """Raises UnknownProduct."""
    product = session.get(Product, product_id)
    if product is None:
        raise UnknownProduct([product_id])
    return product


def newest(session: Session, limit: int, before: int | None = None) -> Sequence[Product]:
    """The newest first; those added before the product with the id `before`, where it is given."""
    statement = select(Product).order_by(Product.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Product.id < before)
    return session.scalars(statement).all()
