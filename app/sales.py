"""What was sold, for who looks through it: values instead of entities, and one statement for a whole page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, bindparam, literal_column, select, tuple_
from sqlalchemy.orm import Session

from app.cursors import Place
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
    def place(self) -> Place:
        """Where it stands in the list."""
        return Place(self.created_at, self.id)

    @property
    def total_cents(self) -> int:
        return sum(line.quantity * line.unit_price_cents for line in self.lines)


@dataclass(frozen=True)
class Wanted:
    """Which orders; None is whatever it is."""

    user_id: int | None = None
    status: OrderStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
    """This moment is not among them."""
    after: Place | None = None
    """In the list: an older one."""


ALL = Wanted()
STATEMENTS_KEPT = 64


def newest(session: Session, limit: int, wanted: Wanted = ALL) -> Sequence[Sale]:
    """The newest first. What the session has not flushed yet is not seen."""
    if wanted.after and wanted.until and wanted.until <= wanted.after.created_at:
        # PostgreSQL would begin there, and look at all those between: none of them is wanted.
        wanted = replace(wanted, after=None)
    given = {name: value for name, value in vars(wanted).items() if value is not None}
    values = {**given, **(wanted.after._asdict() if wanted.after else {})}
    found = session.connection().execute(_page(frozenset(given), limit), values)
    sales: dict[int, Sale] = {}
    for id_, status, created_at, user_id, user_name, product_id, sku, name, quantity, unit_price_cents in found.all():
        if (sale := sales.get(id_)) is None:
            sale = sales[id_] = Sale(id_, Buyer(user_id, user_name), status, created_at, [])
        if product_id is not None:
            sale.lines.append(Line(Goods(product_id, sku, name), quantity, unit_price_cents))
    return list(sales.values())


@lru_cache(STATEMENTS_KEPT)  # to build it takes a quarter of what a request for it takes
def _page(given: frozenset[str], limit: int) -> Select[Any]:
    """A row a line, the lines of an order together; of an order without lines, one.

    The limit is part of it: of one that comes as a parameter PostgreSQL expects a tenth of the table, so that it never
    keeps a plan and makes one each time, which takes longer than to follow it.
    """
    orders = (
        select(Order.id, Order.status, Order.created_at, Order.user_id, User.name.label("user_name"))
        .join(User)
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(literal_column(str(limit), Integer))
    )
    created_at, number = bindparam("created_at", type_=Order.created_at.type), bindparam("id", type_=Order.id.type)
    conditions = {
        "user_id": Order.user_id == bindparam("user_id"),
        "status": Order.status == bindparam("status"),
        "since": Order.created_at >= bindparam("since"),
        "until": Order.created_at < bindparam("until"),
        "after": tuple_(Order.created_at, Order.id) < tuple_(created_at, number),
    }
    page = orders.where(*(conditions[name] for name in sorted(given))).subquery()
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
