"""What clients ask a stack for, and how it answers."""

import time
from collections.abc import Sequence
from random import Random

from benchmarks.production import client
from benchmarks.production.checkout import Checkout
from benchmarks.production.client import Plan
from benchmarks.production.stacks import Stacks, Variant
from benchmarks.production.turns import Figures

ORDERS = 50_000
CONNECTIONS = 32
WAITING = 3  # one more than a replica has processes
LINES = 3  # of each order that is sent
MADE = 5_000  # different ones, sent in turn

PER_SECOND, MIDDLE, SLOW = "requests/s", "p50", "p99"
READING, ORDERING, BESIDE = "reads", "orders", "reads beside orders that wait"


class Loads:
    """Of so many seconds each."""

    def __init__(self, checkout: Checkout, stacks: Stacks, length: int) -> None:
        self._checkout = checkout
        self._stacks = stacks
        self._length = length
        self._reads = [client.get("/api/orders?limit=20", checkout.token)]
        self._orders = orders(checkout)
        self._keyed_orders = orders(checkout, once=True)
        self.ceiling: list[float] = []

    def reads(self, variant: Variant) -> Figures:
        return {f"{READING}: {name}": value for name, value in self._figures(variant, self._reads).items()}

    def orders(self, variant: Variant) -> Figures:
        return {f"{ORDERING}: {name}": value for name, value in self._figures(variant, self._orders).items()}

    def keyed_orders(self, variant: Variant) -> Figures:
        """With an Idempotency-Key each."""
        return {f"{ORDERING}: {name}": value for name, value in self._figures(variant, self._keyed_orders).items()}

    def reads_beside_orders_that_wait(self, variant: Variant) -> Figures:
        """And without them."""
        port, product = self._stacks.serve(variant), 1
        waits = order(self._checkout, 1, [product])
        with self._checkout.transaction(f"SELECT FROM products WHERE id = {product} FOR UPDATE"):
            waiting = client.start(Plan(port, [waits], self._length + 2, WAITING))
            time.sleep(2 * client.WARM_UP)  # until they wait
            beside = self._figures(variant, self._reads)
        client.finish(waiting)
        return {**self.reads(variant), **{f"{BESIDE}: {name}": value for name, value in beside.items()}}

    def of_nginx_alone(self, variant: Variant) -> float:
        self.ceiling.append(self._figures(variant, self._reads)[PER_SECOND])
        return self.ceiling[-1]

    def _figures(self, variant: Variant, requests: Sequence[str]) -> Figures:
        answers = client.measure(Plan(self._stacks.serve(variant), requests, self._length, CONNECTIONS))
        return {PER_SECOND: answers.per_second, MIDDLE: answers.percentile(50), SLOW: answers.percentile(99)}


def orders(checkout: Checkout, *, once: bool = False) -> list[str]:
    """Of users and goods that are there; the same each time. With a key each, where they are to be placed `once`."""
    random = Random(1)  # noqa: S311  the same each time is what is wanted here
    last = "SELECT max(id) FROM {}"
    users, products = (int(checkout.sql(last.format(table))) for table in ("users", "products"))
    return [
        order(checkout, random.randint(1, users), random.sample(range(1, products + 1), LINES), once=once)
        for _ in range(MADE)
    ]


def order(checkout: Checkout, user: int, products: Sequence[int], *, once: bool = False) -> str:
    """By the staff, so that one token does for all."""
    lines = [{"product_id": product, "quantity": 1} for product in products]
    return client.post("/api/orders", {"user_id": user, "lines": lines}, checkout.token, once=once)
