"""A wholesaler whose orders have thousands of lines, to show queries that load every line.

The orders page shows totals, and its query loads all lines to add them up. With three lines per order nobody notices.
SIZE is the number of lines of each order, and the number of products.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from random import Random

from groundwork.scenarios.loading import clock
from groundwork.scenarios.loading.rows import Part, Rows
from scenarios import _order_events as order_events

SIZE = 2_000
ORDERS = 60  # a little more than one page
BUYERS = 4

COLUMNS = {
    "users": ("id", "email", "name", "created_at"),
    "products": ("id", "sku", "name", "price_cents", "stock", "created_at"),
    "orders": ("id", "user_id", "status", "created_at"),
    "order_lines": ("order_id", "product_id", "quantity", "unit_price_cents"),
    "order_events": order_events.COLUMNS,
}


def parts(size: int, seed: int) -> Iterator[Part]:
    yield partial(_catalogue, size)
    for order in range(1, ORDERS + 1):
        yield partial(_order, order, size, seed)


def _catalogue(size: int) -> Rows:
    opening = clock.NOW - timedelta(days=365)
    return {
        "users": "".join(
            f"{buyer}\tbuyer{buyer}@example.com\tWholesale {buyer}\t{opening}\n" for buyer in range(1, BUYERS + 1)
        ),
        "products": "".join(
            f"{product}\tCAT-{product:06}\tArticle {product}\t{_price(product)}\t100000\t{opening}\n"
            for product in range(1, size + 1)
        ),
    }


def _order(order: int, size: int, seed: int) -> Rows:
    random = Random(f"{seed}/{order}")  # noqa: S311  the data must be reproducible
    placed = clock.NOW - timedelta(hours=1 + ORDERS - order)
    quantities = random.choices((10, 20, 50, 100), k=size)
    history = (order_events.PLACED, order_events.PAID, order_events.SHIPPED)
    buyer, statuses = random.randint(1, BUYERS), random.choice(history)
    timestamps = [placed + timedelta(minutes=20 * step) for step in range(len(statuses))]
    return {
        "orders": f"{order}\t{buyer}\t{statuses[-1]}\t{placed}\n",
        "order_lines": "".join(
            f"{order}\t{product}\t{quantity}\t{_price(product)}\n" for product, quantity in enumerate(quantities, 1)
        ),
        "order_events": order_events.rows(order, buyer, statuses, timestamps),
    }


def _price(product: int) -> int:
    return 100 + product * 37 % 4900
