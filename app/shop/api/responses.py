"""Response payloads."""

from typing import Annotated

from pydantic import Field, with_config
from typing_extensions import TypedDict  # pydantic cannot use typing's before Python 3.12

from app.shop.field_types import Amount, Quantity, Sku
from app.shop.models import OrderStatus
from groundwork.flask.http.field_types import Id, Name
from groundwork.flask.http.responses import CLOSED, Address, Moment

Cents = Annotated[int, Field(ge=0)]


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
