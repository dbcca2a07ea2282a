"""What the shop keeps. The rules that must hold whoever writes are the database's own."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Base

EMAIL_LENGTH = 254  # RFC 5321 leaves no room for more
NAME_LENGTH = 200
SKU_LENGTH = 64
IDEMPOTENCY_KEY_LENGTH = 255

ONE_USER_PER_EMAIL = "uq_users_email"
ONE_PRODUCT_PER_SKU = "uq_products_sku"

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


class User(Base):
    __tablename__ = "users"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("name <> ''", "has_name"),
        Index(ONE_USER_PER_EMAIL, func.lower(email), unique=True),
    )


class Product(Base):
    __tablename__ = "products"

    id: Mapped[Id]
    sku: Mapped[str] = mapped_column(String(SKU_LENGTH))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    price_cents: Mapped[int]
    stock: Mapped[int]
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("sku <> ''", "has_sku"),
        CheckConstraint("name <> ''", "has_name"),
        CheckConstraint("price_cents >= 0", "price_not_negative"),
        CheckConstraint("stock >= 0", "stock_not_negative"),
        UniqueConstraint("sku", name=ONE_PRODUCT_PER_SKU),
    )


class OrderStatus(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Order(Base):
    """What belongs to an order is loaded with it or not at all: reading it row by row raises."""

    __tablename__ = "orders"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    status: Mapped[OrderStatus] = mapped_column(
        Enum(OrderStatus, name="order_status", values_callable=lambda statuses: [status.value for status in statuses])
    )
    created_at: Mapped[Moment]

    user: Mapped[User] = relationship(lazy="raise")
    lines: Mapped[list["OrderLine"]] = relationship(lazy="raise", order_by="OrderLine.product_id")

    __table_args__ = (Index(None, "created_at", "id"),)

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


class IdempotencyKey(Base):
    """A request of a user's, and how it was answered; that is empty only within the transaction that does the work."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), primary_key=True)
    key: Mapped[str] = mapped_column(String(IDEMPOTENCY_KEY_LENGTH), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(nullable=True)
    location: Mapped[str] = mapped_column(Text, nullable=True)
    body: Mapped[str] = mapped_column(Text, nullable=True)
    created_at: Mapped[Moment] = mapped_column(index=True)
