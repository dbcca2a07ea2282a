"""`python -m groundwork.scenarios.explain`, by the arguments of its command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from groundwork.scenarios.explain.__main__ import main
from groundwork.scenarios.explain.plans import Plan
from groundwork.system import paths, shell
from groundwork.testing.service import Database

Explain = Callable[..., int]
Measured = Callable[..., list[dict[str, object]]]
Captured = pytest.CaptureFixture[str]


@pytest.mark.scenario("orders", size=400)
def test_every_page_and_every_service_that_writes_is_asked(database: Database, measured: Measured) -> None:
    before = count_orders(database)

    queries = measured("400.json")

    calls = {str(query["call"]) for query in queries}
    assert {"GET /orders", "GET /orders/<id:order_id>", "GET /products"} <= calls
    assert {"GET /api/orders", "GET /api/orders/<id:order_id>"} <= calls
    assert {"GET /api/orders?cursor=…", "GET /api/orders?status=…&user_id=…"} <= calls
    assert {"orders.place", "orders.pay", "orders.cancel"} <= calls
    assert all(query["main_node"] and float(str(query["milliseconds"])) >= 0 for query in queries)
    assert any("FOR UPDATE" in str(query["sql"]) for query in queries)
    assert count_orders(database) == before


@pytest.mark.scenario("orders", size=400)
def test_growth_is_a_column_a_size_and_a_page_that_needs_no_network(
    explain: Explain, measured: Measured, tmp_path: Path, capsys: Captured
) -> None:
    measured("400.json")
    files = [f"{size}={tmp_path / '400.json'}" for size in (400, 4000)]

    explain("show", "orders", *files, "--html", str(tmp_path / "page.html"))

    page, shown = (tmp_path / "page.html").read_text(), capsys.readouterr().out
    assert "4,000" in shown
    assert "GET /api/orders · 1 orders" in shown
    assert page.count("<svg") == page.count("<h2>") > 5
    assert "http" not in page
    assert "<script" not in page


@pytest.mark.scenario("orders", size=400)
def test_one_call_is_shown_with_its_sql(explain: Explain, measured: Measured, tmp_path: Path, capsys: Captured) -> None:
    queries = measured("one.json", "--only", "GET /orders/<id:order_id>")

    explain("show", "orders", f"400={tmp_path / 'one.json'}", "--with-sql")

    assert {query["call"] for query in queries} == {"GET /orders/<id:order_id>"}
    assert "FROM orders JOIN users" in " ".join(capsys.readouterr().out.split())


def test_a_call_that_is_none_is_one_line_with_those_that_are(
    explain: Explain, tmp_path: Path, capsys: Captured
) -> None:
    assert explain("measure", str(tmp_path / "none.json"), "--only", "GET /nowhere") == 1

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("there is no call GET /nowhere; the calls are GET /, ")


@pytest.mark.scenario("orders", size=400)
def test_a_statement_by_hand_is_explained_and_rolled_back(database: Database, measured: Measured) -> None:
    before = count_orders(database)

    (query,) = measured("one.json", "--sql", "DELETE FROM order_lines WHERE quantity > 1")

    assert query["main_node"] in ("Seq Scan order_lines", "ModifyTable order_lines")
    assert count_orders(database) == before


def test_a_statement_that_is_none_is_one_line(database: Database, tmp_path: Path) -> None:
    """Run the real command line."""
    command = shell.python("groundwork.scenarios.explain", "measure", str(tmp_path / "none.json"), "--sql", "SELEKT 1")
    refused = subprocess.run(
        command, cwd=paths.ROOT, env=database.environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert refused.returncode == 1
    assert refused.stderr == 'PostgreSQL: syntax error at or near "SELEKT"\n'


def test_a_large_table_read_from_end_to_end_is_minded_and_so_is_a_wrong_guess() -> None:
    scan = {"Node Type": "Seq Scan", "Relation Name": "orders", "Plan Rows": 2, "Actual Rows": 5000, "Actual Loops": 1}
    plan = Plan("SELECT", {**scan, "Actual Total Time": 1})

    assert plan.warnings(large={"orders"}) == ["reads all of orders", "Seq Scan: 2 rows expected, 5,000 found"]
    assert plan.warnings(large=set()) == ["Seq Scan: 2 rows expected, 5,000 found"]
    assert Plan("SELECT", {**scan, "Plan Rows": 4000}).warnings(large=set()) == []


def count_orders(database: Database) -> int:
    from sqlalchemy import func, select

    from app.shop.models import OrderLine

    with database.session() as session:
        return session.scalars(select(func.count()).select_from(OrderLine)).one()


@pytest.fixture
def explain(database: Database, monkeypatch: pytest.MonkeyPatch) -> Explain:
    """Return a function that runs the command in this process and returns its exit code."""

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["explain", *arguments])
        return main()

    for name, value in database.environment.items():
        monkeypatch.setenv(name, value)
    return run


@pytest.fixture
def measured(explain: Explain, tmp_path: Path) -> Measured:
    def measure(name: str, *options: str) -> list[dict[str, object]]:
        assert explain("measure", str(tmp_path / name), *options) == 0
        queries: list[dict[str, object]] = json.loads((tmp_path / name).read_text())
        return queries

    return measure
