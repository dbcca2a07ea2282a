"""What became of an order, as rows: its trail is the statuses that it had, one after the other."""

from collections.abc import Sequence

from scenarios.loading.rows import NULL

COLUMNS = ("id", "order_id", "status", "by_id", "created_at")

PLACED = ("placed",)
PAID = (*PLACED, "paid")
SHIPPED = (*PAID, "shipped")
REGRETTED = (*PLACED, "cancelled")
PAID_BACK = (*PAID, "cancelled")
LONGEST = 3

BY_THE_BUYER = {"placed", "cancelled"}  # what else becomes of it, the shop does by itself


def rows(order: int, buyer: int, trail: Sequence[str], moments: Sequence[object]) -> str:
    """A moment a status. They are numbered by the order, since no part knows how many another one has."""
    return "".join(
        f"{number}\t{order}\t{status}\t{buyer if status in BY_THE_BUYER else NULL}\t{moment}\n"
        for number, (status, moment) in enumerate(zip(trail, moments, strict=True), LONGEST * (order - 1) + 1)
    )
