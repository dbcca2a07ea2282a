"""Orders as long as a catalogue: the page of the newest loads every line of each.

The page of orders shows totals. The query behind it loads all lines to add them up, which nobody notices in a shop
whose orders have three. SIZE is the number of lines of each of these, and of products.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from random import Random

from scenarios.loading import clock, trails
from scenarios.loading.rows import Part, Rows

SIZE = 2_000
ORDERS = 60  # somewhat more than a page
BUYERS = 4

COLUMNS = {
    "users": ("id", "email", "name", "created_at"),
    "products": ("id", "sku", "name", "price_cents", "stock", "created_at"),
    "orders": ("id", "user_id", "status", "created_at"),
    "order_lines": ("order_id", "product_id", "quantity", "unit_price_cents"),
    "order_events": trails.COLUMNS,
}


def parts(size: int, seed: int) -> Iterator[Part]:
    yield partial(_catalogue, size)
    for order in range(1, ORDERS + 1):
        yield partial(_order, order, size, seed)


def _catalogue(size: int) -> Rows:
    opened = clock.NOW - timedelta(days=365)
    return {
        "users": "".join(
            f"{buyer}\tbuyer{buyer}@example.com\tWholesale {buyer}\t{opened}\n" for buyer in range(1, BUYERS + 1)
        ),
        "products": "".join(
            f"{product}\tCAT-{product:06}\tArticle {product}\t{_price(product)}\t100000\t{opened}\n"
            for product in range(1, size + 1)
        ),
    }


def _order(order: int, size: int, seed: int) -> Rows:
    random = Random(f"{seed}/{order}")  # noqa: S311  the same each time is what is wanted here
    placed = clock.NOW - timedelta(hours=1 + ORDERS - order)
    quantities = random.choices((10, 20, 50, 100), k=size)
    buyer, trail = random.randint(1, BUYERS), random.choice((trails.PLACED, trails.PAID, trails.SHIPPED))
    moments = [placed + timedelta(minutes=20 * step) for step in range(len(trail))]
    return {
        "orders": f"{order}\t{buyer}\t{trail[-1]}\t{placed}\n",
        "order_lines": "".join(
            f"{order}\t{product}\t{quantity}\t{_price(product)}\n" for product, quantity in enumerate(quantities, 1)
        ),
        "order_events": trails.rows(order, buyer, trail, moments),
    }


def _price(product: int) -> int:
    return 100 + product * 37 % 4900
