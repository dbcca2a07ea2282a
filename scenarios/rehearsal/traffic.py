"""What the service asks while it is migrated: one client that reads and one that writes, each in a loop.

The queries name columns, as the service's own do: one that fails is one that the previous release would fail with.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

PAUSE = 0.005  # seconds between two rounds: some visitors, who leave the machine to the migration

NEWEST_ORDERS = """
    SELECT orders.id, orders.status, orders.created_at, users.name FROM orders JOIN users ON users.id = orders.user_id
    ORDER BY orders.created_at DESC, orders.id DESC LIMIT 20
"""
THEIR_LINES = """
    SELECT order_id, product_id, quantity, unit_price_cents, products.name
    FROM order_lines JOIN products ON products.id = product_id WHERE order_id = ANY(%s)
"""
FIRST_USER = "SELECT id FROM users ORDER BY id LIMIT 1"
FIRST_PRODUCT = "SELECT id FROM products ORDER BY id LIMIT 1"
TAKE_FROM_STOCK = "UPDATE products SET stock = greatest(stock - 1, 0) WHERE id = %s RETURNING price_cents"
ADD_ORDER = "INSERT INTO orders (user_id, status) VALUES (%s, 'placed') RETURNING id"
ADD_LINE = "INSERT INTO order_lines (order_id, product_id, quantity, unit_price_cents) VALUES (%s, %s, 1, %s)"

Rows = list[tuple[Any, ...]]
Ask = Callable[[str, str, Sequence[object]], Rows]
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Asked:
    query: str
    milliseconds: float
    error: str = ""


class Client(threading.Thread):
    """A thread of its own, since it waits as long as a lock is held; a daemon, so that none outlives a Ctrl-C."""

    def __init__(self, url: str, a_round: Callable[[Connection, Ask], None]) -> None:
        super().__init__(daemon=True)
        self.asked: list[Asked] = []
        self._connection = psycopg.connect(url, autocommit=True)
        self._round = a_round
        self._warm, self._told_to_end = threading.Event(), threading.Event()

    @property
    def backend(self) -> int:
        return self._connection.info.backend_pid

    def run(self) -> None:
        with closing(self._connection):
            while not self._told_to_end.wait(PAUSE) and not self._connection.broken:
                with suppress(psycopg.Error):  # which is written down
                    self._round(self._connection, self._ask)
                self._warm.set()

    def begin(self) -> None:
        """Return once the first round is done."""
        self.start()
        self._warm.wait()
        self.asked.clear()

    def end(self) -> None:
        """Return once the last round is done: what a lock still holds back is measured to its end."""
        self._told_to_end.set()
        self.join()

    def _ask(self, query: str, sql: str, values: Sequence[object]) -> Rows:
        begun, error = time.perf_counter(), ""
        try:
            cursor = self._connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as raised:
            error = raised.diag.message_primary or str(raised)
            raise
        finally:
            self.asked.append(Asked(query, (time.perf_counter() - begun) * 1000, error))


@contextmanager
def flowing(url: str) -> Iterator[tuple[Client, Client]]:
    """The one that reads and the one that writes."""
    clients = (Client(url, read), Client(url, write))
    for client in clients:
        client.begin()
    yield clients
    for client in clients:
        client.end()


def read(_: Connection, ask: Ask) -> None:
    newest = ask("the newest orders", NEWEST_ORDERS, [])
    ask("their lines", THEIR_LINES, [[order[0] for order in newest]])


def write(connection: Connection, ask: Ask) -> None:
    """Nothing in a shop that has nobody to buy or nothing to sell."""
    user, product = (connection.execute(first).fetchone() for first in (FIRST_USER, FIRST_PRODUCT))
    if user and product:
        with connection.transaction():
            ((price,),) = ask("take from stock", TAKE_FROM_STOCK, product)
            ((order,),) = ask("add an order", ADD_ORDER, user)
            ask("add its line", ADD_LINE, [order, *product, price])
