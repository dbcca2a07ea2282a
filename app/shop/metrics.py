"""Prometheus metrics of the shop; imported only if METRICS_PORT is set."""

from collections.abc import Iterator

from prometheus_client import Counter
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from app.shop.orders import placed
from groundwork.flask.database import RequestSession

PLACED = "orders placed"
"""Key in the session's `info`: the transactions in which each uncommitted order was placed."""

ORDERS = Counter("orders_placed", "Orders that were committed")


@placed.connect
def _note_order(session: Session) -> None:
    session.info.setdefault(PLACED, []).append(list(_transactions(session)))


@event.listens_for(RequestSession, "after_soft_rollback")
def _forget_orders(session: Session, undone: SessionTransaction) -> None:
    if noted := session.info.get(PLACED):
        session.info[PLACED] = [within for within in noted if undone not in within]


@event.listens_for(RequestSession, "after_commit")
def _count_orders(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint, which may still be rolled back
        return
    if noted := session.info.pop(PLACED, ()):
        ORDERS.inc(len(noted))


def _transactions(session: Session) -> Iterator[SessionTransaction]:
    """Yield the session's innermost savepoint, the enclosing ones, and the transaction itself."""
    transaction = session.get_nested_transaction() or session.get_transaction()
    while transaction:
        yield transaction
        transaction = transaction.parent
