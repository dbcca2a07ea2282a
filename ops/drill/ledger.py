"""Whether the database has each order that was acknowledged, and none twice.

It is asked through psql in its container, and not through the service: that is what is tried here.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ops import stack
from ops.configuration import Configuration
from ops.load.shop import Order, Shop

Placed = dict[tuple[int, int], list[int]]
"""The ids of orders by product and quantity, of which no two orders of a drill are the same."""

PLACED = "COPY (SELECT product_id, quantity, order_id FROM order_lines WHERE product_id = ANY ('{%s}')) TO STDOUT"
FORGET = """
    SET lock_timeout = '15s';
    BEGIN;
    DELETE FROM order_lines WHERE product_id = ANY ('{%(goods)s}');
    DELETE FROM idempotency_keys WHERE user_id = ANY ('{%(buyers)s}');
    DELETE FROM order_events USING orders WHERE order_id = orders.id AND user_id = ANY ('{%(buyers)s}');
    DELETE FROM orders WHERE user_id = ANY ('{%(buyers)s}');
    DELETE FROM products WHERE id = ANY ('{%(goods)s}');
    DELETE FROM tokens USING users WHERE user_id = users.id AND email = '%(clerk)s';
    DELETE FROM users WHERE id = ANY ('{%(buyers)s}') OR email = '%(clerk)s';
    COMMIT;
"""


@dataclass(frozen=True)
class Audit:
    sent: int
    acknowledged: int
    placed: int
    missing: Sequence[Order]
    """Acknowledged, and not there: lost data."""
    twice: Sequence[Order]
    """There more than once, under one Idempotency-Key."""

    @property
    def passed(self) -> bool:
        return not self.missing and not self.twice


def audit(orders: Sequence[Order], placed: Placed) -> Audit:
    acknowledged = [order for order in orders if order.acknowledged is not None]
    found = [placed.get((order.product_id, order.quantity), []) for order in orders]
    return Audit(
        sent=len(orders),
        acknowledged=len(acknowledged),
        placed=sum(map(len, found)),
        missing=[
            order
            for order in acknowledged
            if order.acknowledged not in placed.get((order.product_id, order.quantity), [])
        ],
        twice=[order for order, ids in zip(orders, found, strict=True) if len(ids) > 1],
    )


def read(settings: Configuration, shop: Shop) -> Placed:
    placed: Placed = defaultdict(list)
    for line in stack.sql(settings["APPLICATION_DB"], PLACED % _listed(shop.goods)).splitlines():
        product, quantity, order = map(int, line.split("\t"))
        placed[product, quantity].append(order)
    return dict(placed)


def forget(settings: Configuration, shop: Shop) -> None:
    """Delete what a drill wrote: its orders, its goods, its buyers and their clerk."""
    written = {"goods": _listed(shop.goods), "buyers": _listed(shop.buyers), "clerk": shop.clerk}
    stack.sql(settings["APPLICATION_DB"], FORGET % written)


def _listed(ids: Sequence[int]) -> str:
    return ",".join(map(str, ids))
