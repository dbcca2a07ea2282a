"""A busy shop: two years of orders, a long tail of products and a few very frequent customers.

SIZE is the number of orders, with 2.7 lines and up to three events each. The shop grows: the second year has more
orders than the first. All orders except those of the last days are shipped or cancelled.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache, partial
from itertools import accumulate
from random import Random

from groundwork.scenarios.loading import clock
from groundwork.scenarios.loading.rows import Part, Rows
from scenarios import _order_events as order_events

SIZE = 10_000
PART_SIZE = 10_000  # orders; about 3 MB of text
DAYS = 730
OPENS, CLOSES = 8 * 3600, 22 * 3600  # seconds of the day
GROWTH = 0.7  # exponent: an order's time is its position to this power, both as a share; 1 means constant sales

COLUMNS = {
    "users": ("id", "email", "name", "created_at"),
    "products": ("id", "sku", "name", "price_cents", "stock", "created_at"),
    "orders": ("id", "user_id", "status", "created_at"),
    "order_lines": ("order_id", "product_id", "quantity", "unit_price_cents"),
    "order_events": order_events.COLUMNS,
}

LINES, LINE_WEIGHTS = (1, 2, 3, 4, 5, 6, 9), (30, 27, 18, 11, 7, 4, 3)
QUANTITIES, QUANTITY_WEIGHTS = (1, 2, 3, 4, 6, 12), (72, 16, 5, 3, 3, 1)
FINISHED, FINISHED_WEIGHTS = (order_events.SHIPPED, order_events.CANCELLED, order_events.REFUNDED), (93, 4, 3)
RECENT = (order_events.PLACED, order_events.PAID, order_events.SHIPPED, order_events.CANCELLED)
RECENT_WEIGHTS = (35, 40, 20, 5)
RECENT_SHARE = 0.005  # of all orders; about four days
EVENT_TIMES = {"placed": 0, "paid": 0.05, "cancelled": 0.5, "shipped": 0.9}  # as a share of the rest of the day

FIRST = ("Ada", "Bruno", "Chiara", "Dmitri", "Elin", "Farid", "Grace", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mira")
LAST = ("Okafor", "Keller", "Rossi", "Sokolov", "Lindqvist", "Haddad", "Novak", "Sato", "Costa", "Meyer", "Diallo")
MATERIALS = ("Stoneware", "Cast-iron", "Walnut", "Linen", "Copper", "Glass", "Steel", "Oak", "Bamboo", "Enamel")
GOODS = ("mug", "teapot", "board", "apron", "pan", "bowl", "knife", "grinder", "kettle", "jar", "tray", "rack")


def parts(size: int, seed: int) -> Iterator[Part]:
    users, products = max(size // 12, 10), max(min(size // 5, 5_000), 20)
    for first in range(1, users + 1, PART_SIZE):
        yield partial(_users, first, min(first + PART_SIZE, users + 1), seed)
    yield partial(_products, products, seed)
    for first in range(0, size, PART_SIZE):
        yield partial(_orders, first, min(first + PART_SIZE, size), size, users, products, seed)


def _users(first: int, end: int, seed: int) -> Rows:
    """Generate users who registered in the year before the first order."""
    random = _random(seed, "users", first)
    names = zip(random.choices(FIRST, k=end - first), random.choices(LAST, k=end - first), strict=True)
    days, times = _days(365, before=DAYS), _times()
    return {
        "users": "".join(
            f"{user}\t{one.lower()}.{user}@example.com\t{one} {other}\t{day} {time}\n"
            for user, (one, other), day, time in zip(
                range(first, end),
                names,
                random.choices(days, k=end - first),
                random.choices(times, k=end - first),
                strict=True,
            )
        )
    }


def _products(products: int, seed: int) -> Rows:
    random = _random(seed, "products")
    opening = f"{_days(1, before=DAYS)[0]} {_times()[0]}"
    return {
        "products": "".join(
            f"{product}\tSKU-{product:05}\t{random.choice(MATERIALS)} {random.choice(GOODS)}\t{price}"
            f"\t{int(random.expovariate(1 / 60))}\t{opening}\n"
            for product, price in enumerate(_prices(products, seed), 1)
        )
    }


def _orders(first: int, end: int, size: int, users: int, products: int, seed: int) -> Rows:
    """Generate the orders from index `first` to before `end` of `size`, with their lines and events."""
    random = _random(seed, "orders", first)
    count = end - first
    buyers = random.choices(range(1, users + 1), cum_weights=_popularity(users, 0.8), k=count)
    finished, recent = (
        random.choices(histories, weights, k=count)
        for histories, weights in ((FINISHED, FINISHED_WEIGHTS), (RECENT, RECENT_WEIGHTS))
    )
    lines = random.choices(LINES, LINE_WEIGHTS, k=count)
    picks = iter(random.choices(_ranked(products, seed), cum_weights=_popularity(products, 0.9), k=sum(lines)))
    quantities = iter(random.choices(QUANTITIES, QUANTITY_WEIGHTS, k=sum(lines)))
    prices, days, times = _prices(products, seed), _days(DAYS), _times()
    recent_from = size - max(int(size * RECENT_SHARE), 20)

    order_rows, line_rows, event_rows = [], [], []
    for index in range(count):
        position = first + index
        order, buyer = position + 1, buyers[index]
        elapsed = ((position + random.random()) / size) ** GROWTH * DAYS  # increases from order to order
        day = int(elapsed)
        second = int((elapsed - day) * len(times))
        remaining = len(times) - second
        statuses = recent[index] if position >= recent_from else finished[index]
        timestamps = [f"{days[day]} {times[second + int(remaining * EVENT_TIMES[status])]}" for status in statuses]
        order_rows.append(f"{order}\t{buyer}\t{statuses[-1]}\t{timestamps[0]}\n")
        line_rows += [
            f"{order}\t{product}\t{next(quantities)}\t{prices[product - 1]}\n"
            for product in {next(picks) for _ in range(lines[index])}
        ]
        event_rows.append(order_events.rows(order, buyer, statuses, timestamps))
    return {"orders": "".join(order_rows), "order_lines": "".join(line_rows), "order_events": "".join(event_rows)}


def _random(seed: int, *part: object) -> Random:
    return Random(f"{seed}/{part}")  # noqa: S311  the data must be reproducible


@cache
def _prices(products: int, seed: int) -> list[int]:
    random = _random(seed, "prices")
    return [max(99, int(random.lognormvariate(8, 0.8)) // 100 * 100 - 1) for _ in range(products)]


@cache
def _ranked(products: int, seed: int) -> list[int]:
    """Return the product ids, the most popular first."""
    ranked = list(range(1, products + 1))
    _random(seed, "ranks").shuffle(ranked)
    return ranked


@cache
def _popularity(count: int, steepness: float) -> list[float]:
    """Return the cumulative weights of a Zipf distribution, which gives the long tail."""
    return list(accumulate(1 / (rank + 3) ** steepness for rank in range(count)))


@cache
def _days(count: int, before: int = 0) -> list[str]:
    """Return the `count` days before the last `before` days, and the day after them."""
    return [str((clock.NOW - timedelta(days=before + count - day)).date()) for day in range(count + 1)]


@cache
def _times() -> list[str]:
    """Return every second of the opening hours, as text."""
    return [f"{t // 3600:02}:{t // 60 % 60:02}:{t % 60:02}+00" for t in range(OPENS, CLOSES)]
