"""What an answer carries. It is a plain dict when it is made, held to these by mypy, and when it is sent, by tests."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict  # typing's own is too poor for pydantic before Python 3.12

from app.models import OrderStatus, Role
from app.values import Amount, Email, Id, Name, Quantity, Sku

CLOSED = ConfigDict(extra="forbid", use_attribute_docstrings=True)

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T09:30:00+00:00"])]
Address = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
Cents = Annotated[int, Field(ge=0)]


@with_config(CLOSED)
class User(TypedDict):
    id: Id
    email: Email
    name: Annotated[Name, Field(examples=["Ada"])]
    role: Role
    created_at: Moment


@with_config(CLOSED)
class Token(TypedDict):
    id: Id
    name: Annotated[Name, Field(examples=["a script of mine"])]
    created_at: Moment
    expires_at: Moment


@with_config(CLOSED)
class Tokens(TypedDict):
    tokens: list[Token]
    """The newest first."""


@with_config(CLOSED)
class NewToken(Token):
    user_id: Id
    role: Role
    token: Annotated[str, Field(examples=["shop_…"])]
    """To be kept secret. It is shown this once."""


@with_config(CLOSED)
class Product(TypedDict):
    id: Id
    sku: Sku
    name: Annotated[Name, Field(examples=["Stoneware mug"])]
    price_cents: Amount
    stock: Annotated[Amount, Field(examples=[12])]
    """Pieces that can still be bought."""
    created_at: Moment


@with_config(CLOSED)
class ProductPage(TypedDict):
    products: list[Product]
    """The newest first."""
    next: Annotated[Address | None, Field(examples=["/api/products?limit=20&cursor=AAYUC0E9OoAAAAAAAAAAKQ"])]
    """The address of those that follow; null where there can be none."""


@with_config(CLOSED)
class Person(TypedDict):
    id: Id
    name: Annotated[Name, Field(examples=["Ada"])]


@with_config(CLOSED)
class Goods(TypedDict):
    id: Id
    sku: Sku
    name: Annotated[Name, Field(examples=["Stoneware mug"])]


@with_config(CLOSED)
class Line(TypedDict):
    product: Goods
    quantity: Quantity
    unit_price_cents: Amount
    """As paid: a later price of the product does not change it."""


@with_config(CLOSED)
class Order(TypedDict):
    id: Id
    user: Person
    status: OrderStatus
    lines: list[Line]
    total_cents: Annotated[Cents, Field(examples=[3600])]
    created_at: Moment


@with_config(CLOSED)
class Event(TypedDict):
    status: OrderStatus
    """What the order became."""
    by: Person | None
    """By whom; null where the shop did it by itself."""
    created_at: Moment


@with_config(CLOSED)
class Trail(TypedDict):
    events: list[Event]
    """The first first."""


@with_config(CLOSED)
class OrderPage(TypedDict):
    orders: list[Order]
    """The newest first."""
    next: Annotated[Address | None, Field(examples=["/api/orders?limit=20&cursor=AAYUC0E9OoAAAAAAAAAAKQ"])]
    """The address of those that follow; null where there can be none."""


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    model_config: ClassVar[ConfigDict] = CLOSED

    type: Annotated[str, Field(json_schema_extra={"const": "about:blank"})]
    """What kind of problem it is, for programs."""
    title: str
    """The same for people."""
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    """What is wrong with this request, and what to do."""
    instance: Address
    """The address that was asked."""
