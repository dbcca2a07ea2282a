"""Lists of orders, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from app.shop.models import Order, OrderLine, OrderStatus
from groundwork.flask.http.pagination import PageKey


@dataclass(frozen=True)
class OrderFilter:
    """Filter for orders; None matches everything."""

    user_id: int | None = None
    status: OrderStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    after: PageKey | None = None
    """Position in the list; only older orders match."""


ALL = OrderFilter()


def list_orders(session: Session, limit: int, wanted: OrderFilter = ALL) -> Sequence[Order]:
    """Return the orders, newest first, with their users, their lines and the lines' products."""
    statement = (
        select(Order)
        .options(
            joinedload(Order.user, innerjoin=True),
            selectinload(Order.lines).joinedload(OrderLine.product, innerjoin=True),
        )
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(limit)
    )
    # Given both, PostgreSQL may start at the later one, and read all orders down to the earlier one.
    is_after_stricter = wanted.after is not None and (wanted.until is None or wanted.after.created_at < wanted.until)
    if wanted.user_id is not None:
        statement = statement.where(Order.user_id == wanted.user_id)
    if wanted.status is not None:
        statement = statement.where(Order.status == wanted.status)
    if wanted.since is not None:
        statement = statement.where(Order.created_at >= wanted.since)
    if wanted.until is not None and not is_after_stricter:
        statement = statement.where(Order.created_at < wanted.until)
    if wanted.after is not None and is_after_stricter:
        statement = statement.where(tuple_(Order.created_at, Order.id) < tuple_(*wanted.after))
    return session.scalars(statement).all()
