"""The query lab, by its command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.lab.plans import Plan
from tests.service import Database

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.scenario("orders", size=400)
def test_every_page_and_every_service_that_writes_is_asked(database: Database, tmp_path: Path) -> None:
    before = count_orders(database)

    queries = measured(database, tmp_path / "400.json")

    calls = {str(query["call"]) for query in queries}
    assert {"GET /orders", "GET /orders/<id:order_id>", "GET /products"} <= calls
    assert {"GET /api/orders", "GET /api/orders/<id:order_id>"} <= calls
    assert {"GET /api/orders?cursor=…", "GET /api/orders?status=…&user_id=…"} <= calls
    assert {"orders.place", "orders.pay", "orders.cancel"} <= calls
    assert all(query["main_node"] and float(str(query["milliseconds"])) >= 0 for query in queries)
    assert any("FOR UPDATE" in str(query["sql"]) for query in queries)
    assert count_orders(database) == before


@pytest.mark.scenario("orders", size=400)
def test_growth_is_a_column_a_size_and_a_page_that_needs_no_network(database: Database, tmp_path: Path) -> None:
    measured(database, tmp_path / "400.json")
    files = [f"{size}={tmp_path / '400.json'}" for size in (400, 4000)]

    shown = lab(database, "show", "orders", *files, "--html", str(tmp_path / "page.html"))

    page = (tmp_path / "page.html").read_text()
    assert "4,000" in shown.stdout
    assert "GET /api/orders · 1 orders" in shown.stdout
    assert page.count("<svg") == page.count("<h2>") > 5
    assert "http" not in page
    assert "<script" not in page


@pytest.mark.scenario("orders", size=400)
def test_one_call_is_shown_with_its_sql(database: Database, tmp_path: Path) -> None:
    queries = measured(database, tmp_path / "one.json", "--only", "GET /orders/<id:order_id>")

    shown = lab(database, "show", "orders", f"400={tmp_path / 'one.json'}", "--with-sql").stdout

    assert {query["call"] for query in queries} == {"GET /orders/<id:order_id>"}
    assert "FROM orders JOIN users" in " ".join(shown.split())


def test_a_call_that_is_none_is_one_line_with_those_that_are(database: Database, tmp_path: Path) -> None:
    refused = lab(database, "measure", str(tmp_path / "none.json"), "--only", "GET /nowhere")

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("nothing is called GET /nowhere; there are GET /, ")


@pytest.mark.scenario("orders", size=400)
def test_a_statement_by_hand_is_explained_and_rolled_back(database: Database, tmp_path: Path) -> None:
    before = count_orders(database)

    (query,) = measured(database, tmp_path / "one.json", "--sql", "DELETE FROM order_lines WHERE quantity > 1")

    assert query["main_node"] in ("Seq Scan order_lines", "ModifyTable order_lines")
    assert count_orders(database) == before


def test_a_statement_that_is_none_is_one_line(database: Database, tmp_path: Path) -> None:
    refused = lab(database, "measure", str(tmp_path / "none.json"), "--sql", "SELEKT 1")

    assert refused.returncode == 1
    assert refused.stderr == 'PostgreSQL: syntax error at or near "SELEKT"\n'


def test_a_large_table_read_from_end_to_end_is_minded_and_so_is_a_wrong_guess() -> None:
    scan = {"Node Type": "Seq Scan", "Relation Name": "orders", "Plan Rows": 2, "Actual Rows": 5000, "Actual Loops": 1}
    plan = Plan("SELECT", {**scan, "Actual Total Time": 1})

    assert plan.warnings(large={"orders"}) == ["reads all of orders", "Seq Scan: 2 rows expected, 5,000 found"]
    assert plan.warnings(large=set()) == ["Seq Scan: 2 rows expected, 5,000 found"]
    assert Plan("SELECT", {**scan, "Plan Rows": 4000}).warnings(large=set()) == []


def measured(database: Database, file: Path, *options: str) -> list[dict[str, object]]:
    done = lab(database, "measure", str(file), *options)
    assert done.returncode == 0, done.stderr
    queries: list[dict[str, object]] = json.loads(file.read_text())
    return queries


def lab(database: Database, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "scenarios.lab", *arguments],
        cwd=ROOT,
        env=database.environment,
        text=True,
        capture_output=True,
        check=False,
    )


def count_orders(database: Database) -> int:
    from sqlalchemy import func, select

    from app.models import OrderLine

    with database.session() as session:
        return session.scalars(select(func.count()).select_from(OrderLine)).one()
