"""Traffic of the service: queries for a rehearsal of migrations, and requests for a drill.

The queries name their columns, as the service's do, so a query that fails would also fail in the previous release.
"""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from groundwork.migrations.rehearsal.clients import Connection, Execute
from groundwork.production.load.traffic import Traffic, Write

NEWEST_ITEMS = "SELECT id, name, created_at FROM items ORDER BY created_at DESC, id DESC LIMIT 20"
FIRST_ITEM = "SELECT id FROM items ORDER BY id LIMIT 1"
RENAME = "UPDATE items SET name = name WHERE id = %s"
ADD_ITEM = "INSERT INTO items (name) VALUES ('added meanwhile')"

ITEMS = "SELECT coalesce(json_object_agg(id, name), '{}') FROM items WHERE name LIKE 'load-%(mark)s-%%'"
FORGET = """
    SET lock_timeout = '15s';
    BEGIN;
    DELETE FROM items WHERE name LIKE 'load-%(mark)s-%%';
    DELETE FROM idempotency_keys USING users WHERE user_id = users.id AND email = '%(clerk)s';
    DELETE FROM tokens USING users WHERE user_id = users.id AND email = '%(clerk)s';
    DELETE FROM users WHERE email = '%(clerk)s';
    COMMIT;
"""


def read(_: Connection, execute: Execute) -> None:
    execute("newest items", NEWEST_ITEMS, [])


def write(connection: Connection, execute: Execute) -> None:
    """Change an item and add one; do nothing if there is none."""
    first = connection.execute(FIRST_ITEM).fetchone()
    if first:
        with connection.transaction():
            execute("change an item", RENAME, first)
            execute("add an item", ADD_ITEM, [])


@dataclass
class Load(Traffic):
    """Items, each with another name."""

    TABLE = "items"
    READS = ("/api/items?limit=20",)
    WRITES = "/api/items"

    def prepare(self) -> None:
        """Insert nothing: an item refers to no other row."""

    def new_write(self, random: Random) -> Write:  # noqa: ARG002  the parameter is part of the interface
        name = f"load-{self.mark}-{len(self.writes)}"
        return Write({"name": name}, name)

    def find(self) -> dict[int, Any]:
        names = json.loads(self.sql(ITEMS % {"mark": self.mark}))
        return {int(number): name for number, name in names.items()}

    def broken_rules(self) -> list[str]:
        return []

    def forget(self) -> None:
        self.sql(FORGET % {"mark": self.mark, "clerk": self.clerk})
