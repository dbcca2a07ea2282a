"""Plans of the statements as they ran, which auto_explain sends as notices."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, event, text

LARGE = 10_000  # rows; warn about a sequential scan of such a table, and about such a result
MISESTIMATE_FACTOR = 10  # warn if the planner's row estimate is off by this factor
MISESTIMATE_MIN_ROWS = 100
BLOCKING_NODES = ("Sort", "Hash", "Aggregate")  # they read all input before their first row

REPORT_PLANS = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_buffers = on;
SET auto_explain.log_format = json;
SET auto_explain.log_level = notice;
SET client_min_messages = notice;
"""


@dataclass(frozen=True)
class Plan:
    """Plan of one statement, as from EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)."""

    sql: str
    root: dict[str, Any]

    @property
    def milliseconds(self) -> float:
        return float(self.root["Actual Total Time"])

    @property
    def rows(self) -> int:
        rows: float = self.root["Actual Rows"]
        return round(rows)

    @property
    def buffers(self) -> int:
        """Number of 8 KiB pages read, from memory or disk."""
        return int(self.root["Shared Hit Blocks"]) + int(self.root["Shared Read Blocks"])

    @cached_property
    def nodes(self) -> list[dict[str, Any]]:
        return list(_walk(self.root))

    @property
    def table(self) -> str:
        """First table in the statement; the first one in the plan can differ between sizes."""
        found = re.search(r"\b(?:FROM|UPDATE|INTO)\s+\"?(\w+)", self.sql)
        return found[1] if found else ""

    @property
    def main_node(self) -> str:
        """Node with the most time, excluding its children."""
        node = max(self.nodes, key=_own_time)
        return " ".join(filter(None, (node["Node Type"], node.get("Index Name") or node.get("Relation Name"))))

    def warnings(self, large: set[str]) -> list[str]:
        """Return warnings: sequential scans of `large` tables, a large result, a wrong row estimate."""
        scanned = {str(node["Relation Name"]) for node in self.nodes if node["Node Type"] == "Seq Scan"}
        found = [f"reads all of {table}" for table in sorted(scanned & large)]
        if self.rows >= LARGE:
            found.append(f"returns {self.rows:,} rows")
        for node in _completed_nodes(self.root):
            expected, actual = node["Plan Rows"], node["Actual Rows"]
            ratio = max(expected, 1) / max(actual, 1)
            is_off = not 1 / MISESTIMATE_FACTOR < ratio < MISESTIMATE_FACTOR
            if is_off and max(expected, actual) * node["Actual Loops"] >= MISESTIMATE_MIN_ROWS:
                found.append(f"{node['Node Type']}: {expected:,} rows expected, {actual:,.0f} found")
                break  # one wrong estimate makes others wrong
        return found


@contextmanager
def capture(engine: Engine) -> Iterator[list[Plan]]:
    """Yield a list that collects the plans of all statements on the engine; the caller clears it between calls."""
    plans: list[Plan] = []

    def report(connection: Any, _: object) -> None:
        connection.prepare_threshold = None  # plans of prepared statements would arrive out of order
        connection.add_notice_handler(lambda notice: plans.extend(_read(notice.message_primary or "")))
        connection.execute(REPORT_PLANS)
        connection.commit()

    engine.dispose()  # existing connections would send no plans
    event.listen(engine, "connect", report)
    try:
        yield plans
    finally:
        event.remove(engine, "connect", report)
        engine.dispose()


def large_tables(connection: Connection) -> set[str]:
    rows = connection.execute(
        text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= :large"), {"large": LARGE}
    )
    return set(rows.scalars())


def _read(notice: str) -> Iterator[Plan]:
    """Yield the plan in a notice; nothing if the notice has none."""
    _, mark, document = notice.partition("plan:\n")
    if mark:
        plan = json.loads(document)
        yield Plan(plan["Query Text"], plan["Plan"])


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)


def _completed_nodes(node: dict[str, Any], completed: bool = True) -> Iterator[dict[str, Any]]:
    """Yield the nodes except those that a LIMIT stopped early, whose row count does not show a wrong estimate."""
    if completed:
        yield node
    kind = node["Node Type"]
    for child in node.get("Plans", []):
        yield from _completed_nodes(child, (completed and kind != "Limit") or kind in BLOCKING_NODES)


def _own_time(node: dict[str, Any]) -> float:
    """Return the node's time without its children, in ms; negative if children ran in parallel."""
    total = node["Actual Total Time"] * node["Actual Loops"]
    return float(total - sum(child["Actual Total Time"] * child["Actual Loops"] for child in node.get("Plans", [])))
