"""How PostgreSQL answered: the plans of statements as they really ran, which auto_explain sends back as notices."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, event, text

LARGE = 10_000  # rows that one would rather not read one after the other, nor hand to a page
FAR_OFF = 10  # times more rows than expected, or fewer
ENOUGH_TO_MATTER = 100  # rows
TAKES_ALL = ("Sort", "Hash", "Aggregate")  # before they give a row

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
    """Of one statement: EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)."""

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
        """Pages of 8 KiB that were looked at, in memory or not."""
        return int(self.root["Shared Hit Blocks"]) + int(self.root["Shared Read Blocks"])

    @cached_property
    def nodes(self) -> list[dict[str, Any]]:
        return list(_walk(self.root))

    @property
    def table(self) -> str:
        """The first that the statement names: the plan may begin with another one at another size."""
        named = re.search(r"\b(?:FROM|UPDATE|INTO)\s+\"?(\w+)", self.sql)
        return named[1] if named else ""

    @property
    def main_node(self) -> str:
        """Where most of the time went, what its children took left out."""
        node = max(self.nodes, key=_own_time)
        return " ".join(filter(None, (node["Node Type"], node.get("Index Name") or node.get("Relation Name"))))

    def warnings(self, large: set[str]) -> list[str]:
        """`large` are the tables that one would rather not read from end to end."""
        scanned = {str(node["Relation Name"]) for node in self.nodes if node["Node Type"] == "Seq Scan"}
        found = [f"reads all of {table}" for table in sorted(scanned & large)]
        if self.rows >= LARGE:
            found.append(f"gives {self.rows:,} rows")
        for node in _run_to_the_end(self.root):
            expected, actual = node["Plan Rows"], node["Actual Rows"]
            off = max(expected, 1) / max(actual, 1)
            if not 1 / FAR_OFF < off < FAR_OFF and max(expected, actual) * node["Actual Loops"] >= ENOUGH_TO_MATTER:
                found.append(f"{node['Node Type']}: {expected:,} rows expected, {actual:,.0f} found")
                break  # those above it are wrong for the same reason
        return found


@contextmanager
def reported(engine: Engine) -> Iterator[list[Plan]]:
    """What the engine's connections run inside, in its order; to be emptied by the caller between two calls."""
    plans: list[Plan] = []

    def report(connection: Any, _: object) -> None:
        connection.prepare_threshold = None  # the plan of a prepared statement is reported later than those after it
        connection.add_notice_handler(lambda notice: plans.extend(_read(notice.message_primary or "")))
        connection.execute(REPORT_PLANS)
        connection.commit()

    engine.dispose()  # connections from before report nothing
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
    """Nothing from a notice that is no plan."""
    _, mark, document = notice.partition("plan:\n")
    if mark:
        plan = json.loads(document)
        yield Plan(plan["Query Text"], plan["Plan"])


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)


def _run_to_the_end(node: dict[str, Any], whole: bool = True) -> Iterator[dict[str, Any]]:
    """Without those that a LIMIT above them stopped: their number of rows says nothing about the guess."""
    if whole:
        yield node
    for child in node.get("Plans", []):
        yield from _run_to_the_end(child, (whole and node["Node Type"] != "Limit") or node["Node Type"] in TAKES_ALL)


def _own_time(node: dict[str, Any]) -> float:
    """In ms; negative where children ran in parallel."""
    spent = node["Actual Total Time"] * node["Actual Loops"]
    return float(spent - sum(child["Actual Total Time"] * child["Actual Loops"] for child in node.get("Plans", [])))
