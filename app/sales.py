"""What was sold, for who looks through it: values instead of entities, and one statement for a whole page."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select, tuple_
from sqlalchemy.orm import Session

from app.models import Order, OrderLine, OrderStatus, Product, User


class Buyer(NamedTuple):
    id: int
    name: str


class Goods(NamedTuple):
    id: int
    sku: str
    name: str


class Line(NamedTuple):
    product: Goods
    quantity: int
    unit_price_cents: int


class Sale(NamedTuple):
    """An order as it is shown, under the names that an Order has."""

    id: int
    user: Buyer
    status: OrderStatus
    created_at: datetime
    lines: list[Line]

    @property
    def total_cents(self) -> int:
        return sum(line.quantity * line.unit_price_cents for line in self.lines)


def newest(session: Session, limit: int, before: int | None = None) -> Sequence[Sale]:
    """The newest first; those placed before the order with the id `before`, where it is given.

    What the session has not flushed yet is not seen.
    """
    found = session.connection().execute(_page(following=before is not None), {"limit": limit, "before": before})
    return [_sale(list(of_one)) for _, of_one in groupby(found.all(), attrgetter("id"))]


@cache  # to build it takes a quarter of what a request for it takes
def _page(*, following: bool) -> Select[Any]:
    """A row a line, the lines of an order together; of an order without lines, one."""
    orders = (
        select(Order.id, Order.status, Order.created_at, Order.user_id, User.name.label("user_name"))
        .join(User)
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(bindparam("limit"))
    )
    if following:
        moment = select(Order.created_at, Order.id).where(Order.id == bindparam("before")).scalar_subquery()
        orders = orders.where(tuple_(Order.created_at, Order.id) < moment)
    page = orders.subquery()
    return (
        select(
            page,
            OrderLine.product_id,
            Product.sku,
            Product.name.label("product_name"),
            OrderLine.quantity,
            OrderLine.unit_price_cents,
        )
        .outerjoin(OrderLine, OrderLine.order_id == page.c.id)
        .outerjoin(Product)
        .order_by(page.c.created_at.desc(), page.c.id.desc(), OrderLine.product_id)
    )


def _sale(rows: Sequence[Any]) -> Sale:
    first = rows[0]
    lines = [
        Line(Goods(product_id, sku, name), quantity, unit_price_cents)
        for *_, product_id, sku, name, quantity, unit_price_cents in rows
        if product_id is not None
    ]
    return Sale(first.id, Buyer(first.user_id, first.user_name), first.status, first.created_at, lines)
