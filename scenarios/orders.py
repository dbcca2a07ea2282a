"""A busy shop: two years of orders, a long tail of products, a few who buy without end.

SIZE is the number of orders; they have 2.7 lines each, and a trail of three events. The shop has grown: there are more
orders in the second year than in the first. All but the last days' are shipped or cancelled.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache, partial
from itertools import accumulate
from random import Random

from scenarios.loading import clock, trails
from scenarios.loading.rows import Part, Rows

SIZE = 10_000
A_PART = 10_000  # orders; some 3 MB of text
DAYS = 730
OPENS, CLOSES = 8 * 3600, 22 * 3600  # seconds of the day
GROWTH = 0.7  # the power that the share of the orders is raised to for the share of the time; 1 would be no growth

COLUMNS = {
    "users": ("id", "email", "name", "created_at"),
    "products": ("id", "sku", "name", "price_cents", "stock", "created_at"),
    "orders": ("id", "user_id", "status", "created_at"),
    "order_lines": ("order_id", "product_id", "quantity", "unit_price_cents"),
    "order_events": trails.COLUMNS,
}

LINES, LINES_SO_OFTEN = (1, 2, 3, 4, 5, 6, 9), (30, 27, 18, 11, 7, 4, 3)
QUANTITIES, QUANTITIES_SO_OFTEN = (1, 2, 3, 4, 6, 12), (72, 16, 5, 3, 3, 1)
FINISHED, FINISHED_SO_OFTEN = (trails.SHIPPED, trails.REGRETTED, trails.PAID_BACK), (93, 4, 3)
FRESH, FRESH_SO_OFTEN = (trails.PLACED, trails.PAID, trails.SHIPPED, trails.REGRETTED), (35, 40, 20, 5)
STILL_FRESH = 0.005  # the share of all orders: four days' or so
PASSES = {"placed": 0, "paid": 0.05, "cancelled": 0.5, "shipped": 0.9}  # until then, of what is left of the day

FIRST = ("Ada", "Bruno", "Chiara", "Dmitri", "Elin", "Farid", "Grace", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mira")
LAST = ("Okafor", "Keller", "Rossi", "Sokolov", "Lindqvist", "Haddad", "Novak", "Sato", "Costa", "Meyer", "Diallo")
MATERIALS = ("Stoneware", "Cast-iron", "Walnut", "Linen", "Copper", "Glass", "Steel", "Oak", "Bamboo", "Enamel")
GOODS = ("mug", "teapot", "board", "apron", "pan", "bowl", "knife", "grinder", "kettle", "jar", "tray", "rack")


def parts(size: int, seed: int) -> Iterator[Part]:
    users, products = max(size // 12, 10), max(min(size // 5, 5_000), 20)
    for first in range(1, users + 1, A_PART):
        yield partial(_users, first, min(first + A_PART, users + 1), seed)
    yield partial(_products, products, seed)
    for first in range(0, size, A_PART):
        yield partial(_orders, first, min(first + A_PART, size), size, users, products, seed)


def _users(first: int, end: int, seed: int) -> Rows:
    """Registered in the year before the shop opened: nobody ordered before that."""
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
    opened = f"{_days(1, before=DAYS)[0]} {_times()[0]}"
    return {
        "products": "".join(
            f"{product}\tSKU-{product:05}\t{random.choice(MATERIALS)} {random.choice(GOODS)}\t{price}"
            f"\t{int(random.expovariate(1 / 60))}\t{opened}\n"
            for product, price in enumerate(_prices(products, seed), 1)
        )
    }


def _orders(first: int, end: int, size: int, users: int, products: int, seed: int) -> Rows:
    """The orders `first` to `end` of `size`, counted from nought, their lines and their trails."""
    random = _random(seed, "orders", first)
    count = end - first
    buyers = random.choices(range(1, users + 1), cum_weights=_popularity(users, 0.8), k=count)
    finished, fresh = (
        random.choices(ends, so_often, k=count)
        for ends, so_often in ((FINISHED, FINISHED_SO_OFTEN), (FRESH, FRESH_SO_OFTEN))
    )
    lines = random.choices(LINES, LINES_SO_OFTEN, k=count)
    picks = iter(random.choices(_ranked(products, seed), cum_weights=_popularity(products, 0.9), k=sum(lines)))
    quantities = iter(random.choices(QUANTITIES, QUANTITIES_SO_OFTEN, k=sum(lines)))
    prices, days, times = _prices(products, seed), _days(DAYS), _times()
    fresh_from = size - max(int(size * STILL_FRESH), 20)

    order_rows, line_rows, event_rows = [], [], []
    for index in range(count):
        place = first + index
        order, buyer = place + 1, buyers[index]
        passed = ((place + random.random()) / size) ** GROWTH * DAYS  # ever later from order to order
        day = int(passed)
        second = int((passed - day) * len(times))
        left = len(times) - second
        trail = fresh[index] if place >= fresh_from else finished[index]
        moments = [f"{days[day]} {times[second + int(left * PASSES[status])]}" for status in trail]
        order_rows.append(f"{order}\t{buyer}\t{trail[-1]}\t{moments[0]}\n")
        line_rows += [
            f"{order}\t{product}\t{next(quantities)}\t{prices[product - 1]}\n"
            for product in {next(picks) for _ in range(lines[index])}
        ]
        event_rows.append(trails.rows(order, buyer, trail, moments))
    return {"orders": "".join(order_rows), "order_lines": "".join(line_rows), "order_events": "".join(event_rows)}


def _random(seed: int, *part: object) -> Random:
    return Random(f"{seed}/{part}")  # noqa: S311  the same each time is what is wanted here


@cache
def _prices(products: int, seed: int) -> list[int]:
    random = _random(seed, "prices")
    return [max(99, int(random.lognormvariate(8, 0.8)) // 100 * 100 - 1) for _ in range(products)]


@cache
def _ranked(products: int, seed: int) -> list[int]:
    """The most wanted first."""
    ranked = list(range(1, products + 1))
    _random(seed, "ranks").shuffle(ranked)
    return ranked


@cache
def _popularity(count: int, steepness: float) -> list[float]:
    """Zipf's law, added up: a few have much, and the tail is long."""
    return list(accumulate(1 / (rank + 3) ** steepness for rank in range(count)))


@cache
def _days(count: int, before: int = 0) -> list[str]:
    """The last `count` days before those that are left out."""
    return [str((clock.NOW - timedelta(days=before + count - day)).date()) for day in range(count + 1)]


@cache
def _times() -> list[str]:
    """Every second at which the shop is open."""
    return [f"{t // 3600:02}:{t // 60 % 60:02}:{t % 60:02}+00" for t in range(OPENS, CLOSES)]
