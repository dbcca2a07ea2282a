"""What the shop keeps. The rules that must hold whoever writes are the database's own."""

import hashlib
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
    collate,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cursors import Place
from app.database import Base

EMAIL_LENGTH = 254  # RFC 5321 leaves no room for more
NAME_LENGTH = 200
SKU_LENGTH = 64
TOKEN_NAME_LENGTH = 100
IDEMPOTENCY_KEY_LENGTH = 255

ONE_USER_PER_EMAIL = "uq_users_email"
ONE_PRODUCT_PER_SKU = "uq_products_sku"

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


def _values(kind: type[StrEnum], name: str) -> Enum:
    """Kept by their values, not by the names that Python has for them."""
    return Enum(kind, name=name, values_callable=lambda members: [member.value for member in members])


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"


class User(Base):
    __tablename__ = "users"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    role: Mapped[Role] = mapped_column(_values(Role, "user_role"), server_default=Role.CUSTOMER)
    password_hash: Mapped[str | None] = mapped_column(Text)
    """As argon2 writes it, with its parameters and its salt. Who has none cannot sign in."""
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("name <> ''", "has_name"),
        # "C" knows the case of A to Z only, in every database: the rule of users.folded().
        Index(ONE_USER_PER_EMAIL, func.lower(collate(email, "C")), unique=True),
    )


class Token(Base):
    """Lets a program act for a user, or a browser at the desk.

    What it shows, nobody can learn from here: only its digest is kept.
    """

    __tablename__ = "tokens"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    name: Mapped[str] = mapped_column(String(TOKEN_NAME_LENGTH))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class SignInAttempts(Base):
    """How often somebody has tried of late; `subject` is the digest of who or what it was tried for."""

    __tablename__ = "sign_in_attempts"

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    count: Mapped[int]
    began_at: Mapped[Moment] = mapped_column(index=True)


class Listed:
    """What is shown in long lists, the newest first."""

    id: Mapped[Id]
    created_at: Mapped[Moment]

    @property
    def place(self) -> Place:
        return Place(self.created_at, self.id)


class Product(Listed, Base):
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
        """Names what it is now: another one after each change, by which who was slower is told."""
        shown = repr([getattr(self, column.key) for column in self.__table__.columns])
        return hashlib.sha256(shown.encode()).hexdigest()[:32]


class OrderStatus(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Order(Listed, Base):
    """What belongs to an order is loaded with it or not at all: reading it row by row raises."""

    __tablename__ = "orders"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    status: Mapped[OrderStatus] = mapped_column(_values(OrderStatus, "order_status"))

    user: Mapped[User] = relationship(lazy="raise")
    lines: Mapped[list["OrderLine"]] = relationship(lazy="raise", order_by="OrderLine.product_id")
    trail: Mapped[list["OrderEvent"]] = relationship(lazy="raise", order_by="OrderEvent.id")

    # The newest of all, of a customer, and of those in one state.
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
    """What an order became, and by whom; written in the transaction in which it became that."""

    __tablename__ = "order_events"

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey(Order.id), index=True)
    status: Mapped[OrderStatus] = mapped_column(_values(OrderStatus, "order_status"))
    by_id: Mapped[int | None] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[Moment]

    by: Mapped[User | None] = relationship(lazy="raise")
    """None where the shop did it by itself."""


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
