"""Rows of order_events: the statuses that an order had, in order."""

from collections.abc import Sequence

from groundwork.scenarios.loading.rows import NULL

COLUMNS = ("id", "order_id", "status", "by_id", "created_at")

PLACED = ("placed",)
PAID = (*PLACED, "paid")
SHIPPED = (*PAID, "shipped")
CANCELLED = (*PLACED, "cancelled")
REFUNDED = (*PAID, "cancelled")
MAX_EVENTS = 3

BY_BUYER = {"placed", "cancelled"}  # the other events have no user


def rows(order: int, buyer: int, statuses: Sequence[str], timestamps: Sequence[object]) -> str:
    """Return one row per status. The order determines the ids, since parts do not know the row counts of others."""
    events = zip(statuses, timestamps, strict=True)
    return "".join(
        f"{number}\t{order}\t{status}\t{buyer if status in BY_BUYER else NULL}\t{timestamp}\n"
        for number, (status, timestamp) in enumerate(events, MAX_EVENTS * (order - 1) + 1)
    )
