"""Loads on a stack, and their figures."""

import time
from collections.abc import Sequence
from random import Random

from packages.groundwork.benchmarks.production import client
from packages.groundwork.benchmarks.production.checkout import Checkout
from packages.groundwork.benchmarks.production.client import Plan
from packages.groundwork.benchmarks.production.stacks import Stacks, Variant
from packages.groundwork.benchmarks.production.turns import Figures

ORDERS = 50_000
CONNECTIONS = 32
WAITING = 3  # one more than a replica has processes
LINES = 3  # per order
MADE = 5_000  # different orders, sent in turn

PER_SECOND, MIDDLE, SLOW = "requests/s", "p50", "p99"
READING, ORDERING, BESIDE = "reads", "orders", "reads beside orders that wait"


class Loads:
    """Loads of `length` seconds each."""

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
        """Place orders, each with an Idempotency-Key."""
        return {f"{ORDERING}: {name}": value for name, value in self._figures(variant, self._keyed_orders).items()}

    def reads_beside_orders_that_wait(self, variant: Variant) -> Figures:
        """Measure reads while orders wait for a lock, and reads without waiting orders."""
        port, product = self._stacks.serve(variant), 1
        waits = order(self._checkout, 1, [product])
        with self._checkout.transaction(f"SELECT FROM products WHERE id = {product} FOR UPDATE"):
            waiting = client.start(Plan(port, [waits], self._length + 2, WAITING))
            time.sleep(2 * client.WARM_UP)  # until the orders wait for the lock
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
    """Return orders of existing users and products, the same each time. `once` adds idempotency keys."""
    random = Random(1)  # noqa: S311  a fixed seed, to be reproducible
    last = "SELECT max(id) FROM {}"
    users, products = (int(checkout.sql(last.format(table))) for table in ("users", "products"))
    return [
        order(checkout, random.randint(1, users), random.sample(range(1, products + 1), LINES), once=once)
        for _ in range(MADE)
    ]


def order(checkout: Checkout, user: int, products: Sequence[int], *, once: bool = False) -> str:
    """Return a request that places an order as staff, so that one token is enough for all users."""
    lines = [{"product_id": product, "quantity": 1} for product in products]
    return client.post("/api/orders", {"user_id": user, "lines": lines}, checkout.token, once=once)
