"""Traffic of the service: queries for a rehearsal of migrations, and requests for a drill.

The queries name their columns, as the service's do, so a query that fails would also fail in the previous release.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from groundwork.migrations.rehearsal.clients import Connection, Execute
from groundwork.production.load.traffic import Traffic, Write

NEWEST_ORDERS = """
    SELECT orders.id, orders.status, orders.created_at, users.name FROM orders JOIN users ON users.id = orders.user_id
    ORDER BY orders.created_at DESC, orders.id DESC LIMIT 20
"""
ORDER_LINES = """
    SELECT order_id, product_id, quantity, unit_price_cents, products.name
    FROM order_lines JOIN products ON products.id = product_id WHERE order_id = ANY(%s)
"""
FIRST_USER = "SELECT id FROM users ORDER BY id LIMIT 1"
FIRST_PRODUCT = "SELECT id FROM products ORDER BY id LIMIT 1"
TAKE_FROM_STOCK = "UPDATE products SET stock = greatest(stock - 1, 0) WHERE id = %s RETURNING price_cents"
ADD_ORDER = "INSERT INTO orders (user_id, status) VALUES (%s, 'placed') RETURNING id"
ADD_LINE = "INSERT INTO order_lines (order_id, product_id, quantity, unit_price_cents) VALUES (%s, %s, 1, %s)"

BUYERS, GOODS, PRICE_CENTS = 10, 20, 1
STOCK = 2**31 - 1  # enough for 65,000 orders per product, each for one piece more than the last

# Not through the API, which limits registrations per address in a quarter of an hour.
PREPARE = """
    WITH buyers AS (
        INSERT INTO users (email, name)
        SELECT 'load-%(mark)s-' || number || '@example.com', 'Load ' || number
        FROM generate_series(1, %(buyers)s) AS number
        RETURNING id
    ), goods AS (
        INSERT INTO products (sku, name, price_cents, stock)
        SELECT 'load-%(mark)s-' || number, 'Load ' || number, %(price_cents)s, %(stock)s
        FROM generate_series(1, %(goods)s) AS number
        RETURNING id
    )
    SELECT json_build_object('buyers', (SELECT json_agg(id) FROM buyers), 'goods', (SELECT json_agg(id) FROM goods))
"""
ORDERS = """
    SELECT coalesce(json_object_agg(id, json_build_array(user_id, status, (
        SELECT json_agg(json_build_array(product_id, quantity, unit_price_cents))
        FROM order_lines WHERE order_id = orders.id
    ), (
        SELECT json_agg(json_build_array(event.status, email) ORDER BY event.id)
        FROM order_events AS event LEFT JOIN users ON users.id = by_id WHERE order_id = orders.id
    ))), '{}')
    FROM orders
    WHERE user_id = ANY ('{%(buyers)s}')
        OR id IN (SELECT order_id FROM order_lines WHERE product_id = ANY ('{%(goods)s}'))
"""
UNBALANCED = """
    SELECT format('product %%s: stock %%s and sales %%s', wanted.id, stock, sold)
    FROM unnest('{%(goods)s}'::bigint[]) AS wanted (id) LEFT JOIN products ON products.id = wanted.id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(quantity), 0) AS sold FROM order_lines WHERE product_id = wanted.id
        ) AS sales
    WHERE stock + sold IS DISTINCT FROM %(stock)s
    ORDER BY wanted.id
"""
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


def read(_: Connection, execute: Execute) -> None:
    newest = execute("newest orders", NEWEST_ORDERS, [])
    execute("order lines", ORDER_LINES, [[order[0] for order in newest]])


def write(connection: Connection, execute: Execute) -> None:
    """Place an order; do nothing in a shop without customers or products."""
    user, product = (connection.execute(first).fetchone() for first in (FIRST_USER, FIRST_PRODUCT))
    if user and product:
        with connection.transaction():
            ((price,),) = execute("take from stock", TAKE_FROM_STOCK, product)
            ((order,),) = execute("add an order", ADD_ORDER, user)
            execute("add an order line", ADD_LINE, [order, *product, price])


@dataclass
class Load(Traffic):
    """Orders of one piece more each time, so that product and quantity identify an order in the database."""

    TABLE = "orders"
    READS = ("/api/orders?limit=20", "/api/orders?limit=20", "/api/products")
    WRITES = "/api/orders"

    buyers: list[int] = field(default_factory=list)
    goods: list[int] = field(default_factory=list)
    _ordered: Counter[int] = field(default_factory=Counter)

    def prepare(self) -> None:
        counts = {"buyers": BUYERS, "goods": GOODS, "price_cents": PRICE_CENTS, "stock": STOCK}
        created = json.loads(self.sql(PREPARE % {"mark": self.mark, **counts}))
        self.buyers, self.goods = created["buyers"], created["goods"]

    def new_write(self, random: Random) -> Write:
        buyer, product = random.choice(self.buyers), random.choice(self.goods)
        self._ordered[product] += 1
        quantity = self._ordered[product]
        return Write(
            {"user_id": buyer, "lines": [{"product_id": product, "quantity": quantity}]},
            [buyer, "placed", [[product, quantity, PRICE_CENTS]], [["placed", self.clerk]]],
        )

    def find(self) -> dict[int, Any]:
        return {int(number): content for number, content in json.loads(self.sql(ORDERS % self._ids())).items()}

    def broken_rules(self) -> list[str]:
        """Return the products whose stock and sales are not the stock from before."""
        return self.sql(UNBALANCED % self._ids()).splitlines()

    def forget(self) -> None:
        self.sql(FORGET % self._ids())

    def _ids(self) -> dict[str, object]:
        listed = {name: ",".join(map(str, ids)) for name, ids in (("buyers", self.buyers), ("goods", self.goods))}
        return {"clerk": self.clerk, "stock": STOCK, **listed}
