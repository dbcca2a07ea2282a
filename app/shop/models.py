"""Tables of products and orders. Rules that must hold for every writer are database constraints."""

import hashlib
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from groundwork.flask.database import NAME_LENGTH, Base, Id, Moment, string_enum
from groundwork.flask.http.pagination import Paginated

SKU_LENGTH = 64

ONE_PRODUCT_PER_SKU = "uq_products_sku"


class Product(Paginated, Base):
    __tablename__ = "products"

    sku: Mapped[str] = mapped_column(String(SKU_LENGTH))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    price_cents: Mapped[int]
    stock: Mapped[int]

    __table_args__ = (
        CheckConstraint("sku <> ''", "has_sku"),
        CheckConstraint("name <> ''", "has_name"),
        CheckConstraint("price_cents >= 0", "price_not_negative"),
        CheckConstraint("stock >= 0", "stock_not_negative"),
        UniqueConstraint("sku", name=ONE_PRODUCT_PER_SKU),
    )

    @property
    def version(self) -> str:
        """Content hash for optimistic locking; it differs after each change."""
        shown = repr([getattr(self, column.key) for column in self.__table__.columns])
        return hashlib.sha256(shown.encode()).hexdigest()[:32]


class OrderStatus(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Order(Paginated, Base):
    """Order whose relationships must be loaded with it: lazy loading raises."""

    __tablename__ = "orders"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    status: Mapped[OrderStatus] = mapped_column(string_enum(OrderStatus, "order_status"))

    user: Mapped[User] = relationship(lazy="raise")
    lines: Mapped[list["OrderLine"]] = relationship(lazy="raise", order_by="OrderLine.product_id")
    events: Mapped[list["OrderEvent"]] = relationship(lazy="raise", order_by="OrderEvent.id")

    # For the newest of all, of a customer, and with a status.
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "status", "created_at", "id"),
    )

    @property
    def total_cents(self) -> int:
        return sum(line.quantity * line.unit_price_cents for line in self.lines)


class OrderLine(Base):
    __tablename__ = "order_lines"

    order_id: Mapped[int] = mapped_column(ForeignKey(Order.id), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey(Product.id), primary_key=True, index=True)
    quantity: Mapped[int]
    unit_price_cents: Mapped[int]
    """As paid: a later price of the product does not change it."""

    product: Mapped[Product] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("quantity > 0", "quantity_positive"),
        CheckConstraint("unit_price_cents >= 0", "unit_price_not_negative"),
    )


class OrderEvent(Base):
    """Status change of an order with its actor, written in the same transaction as the change."""

    __tablename__ = "order_events"

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey(Order.id), index=True)
    status: Mapped[OrderStatus] = mapped_column(string_enum(OrderStatus, "order_status"))
    by_id: Mapped[int | None] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[Moment]

    by: Mapped[User | None] = relationship(lazy="raise")
    """None if the shop did it by itself."""
