"""Scenarios, loaded into a database at the head of the migrations."""

import hashlib
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from app.accounts import users
from app.accounts.models import User
from app.shop import order_list, orders
from app.shop.models import Order, OrderLine, OrderStatus, Product
from groundwork.flask.database import Base
from groundwork.scenarios import project, workspace
from groundwork.scenarios.loading import clock, copying, loader, rows
from groundwork.scenarios.loading.__main__ import main
from groundwork.scenarios.loading.rows import Rows
from groundwork.system import paths
from groundwork.testing import database_pool
from groundwork.testing.service import Database

SMALL = {"orders": 300, "wholesale": 20}
EMPTY = {"empty_shop"}
RANDOM = {"low_stock", "orders", "wholesale"}
"""Stories that the seed changes; another story need not be random."""

RAISES_ELSEWHERE = """
from functools import partial
COLUMNS = {"users": ("id", "email", "name")}
SIZE = 10
def parts(size, seed):
    return (partial(make, number) for number in range(size))
def make(number):
    return {"users": f"{number}\\t{number}@example.com\\tSomebody\\n"} if number < 7 else {}[number]
"""

RULES = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT tablename, indexname, indexdef, indisvalid::text
    FROM pg_indexes JOIN pg_index ON indexrelid = format('%I', indexname)::regclass WHERE schemaname = 'public'
    ORDER BY 1, 2, 3
"""

every_story = pytest.mark.parametrize("name", project.scenario_names())
every_told_story = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.scenario(name, size=SMALL.get(name))) for name in project.scenario_names()],
)


@every_story
def test_a_story_fills_the_tables_and_leaves_the_rules_as_they_were(database: Database, name: str) -> None:
    before = rules(database)

    tell(database, name)

    assert (name in EMPTY) == (not any(row_counts(database).values()))
    assert rules(database) == before


@every_told_story
def test_life_goes_on_after_a_story(database: Database, name: str) -> None:
    with database.session() as session:
        user = users.register(session, "somebody.new@example.org", "Somebody New")
        product = session.scalar(select(Product).where(Product.stock > 0).limit(1))
        if product is not None:
            orders.place(session, user.id, {product.id: 1})


@every_story
def test_the_same_seed_is_the_same_rows_and_another_one_is_not_if_the_story_is_random(
    database: Database, name: str
) -> None:
    first, again, other = (digest(database, name, seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other or name not in RANDOM


@every_told_story
def test_an_order_has_a_trail_that_led_to_its_status(database: Database, name: str) -> None:
    with database.session() as session:
        for order in session.scalars(select(Order).options(selectinload(Order.events))):
            first, last, moments = order.events[0], order.events[-1], [event.created_at for event in order.events]
            assert (first.status, first.by_id) == (OrderStatus.PLACED, order.user_id)
            assert all(then.status in orders.TRANSITIONS[before.status] for before, then in pairwise(order.events))
            assert last.status is order.status
            assert moments == sorted(moments)
            assert (moments[0], max(moments[-1], clock.NOW)) == (order.created_at, clock.NOW)


@pytest.mark.scenario("orders", size=500)
def test_a_busy_shop_has_a_long_tail_and_a_few_who_buy_without_end(database: Database) -> None:
    with database.session() as session:
        by_product = session.scalars(select(func.count()).select_from(OrderLine).group_by(OrderLine.product_id)).all()
        by_user = session.scalars(select(func.count()).select_from(Order).group_by(Order.user_id)).all()

        assert set(session.scalars(select(Order.status))) == set(OrderStatus)
        assert session.scalars(select(func.count(Order.id))).one() == 500
        assert max(by_product) > 5 * sorted(by_product)[len(by_product) // 2]
        assert max(by_user) > 3 * sorted(by_user)[len(by_user) // 2]
        # Nobody ordered before they were there, and the newest order is the one with the highest number.
        assert not session.scalar(select(func.count(Order.id)).join(User).where(User.created_at > Order.created_at))
        newest = order_list.list_orders(session, 500)
        assert [order.id for order in newest] == sorted((order.id for order in newest), reverse=True)


@pytest.mark.scenario("low_stock")
def test_the_last_pieces_are_nearly_gone(database: Database) -> None:
    with database.session() as session:
        assert session.scalars(select(func.count(Product.id)).where(Product.stock <= 1)).one() >= 2


@pytest.mark.scenario("wholesale", size=20)
def test_orders_as_long_as_the_catalogue(database: Database) -> None:
    with database.session() as session:
        assert {len(order.lines) for order in order_list.list_orders(session, 20)} == {20}


def test_the_parts_of_a_story_may_be_made_by_several_processes(database: Database) -> None:
    from scenarios import orders as busy_shop

    parts = list(busy_shop.parts(25_000, seed=3))

    assert len(parts) >= rows.MIN_PARTS
    assert [sum(map(len, made.values())) for made in rows.generate(parts)] == [
        sum(map(len, part().values())) for part in parts
    ]


def test_rows_that_break_a_rule_are_refused_by_the_rule(database: Database) -> None:
    def orphan() -> Rows:
        return {"orders": "1\t1\tplaced\t2026-01-01\n"}

    def connect() -> "psycopg.Connection[tuple[object, ...]]":
        return database_pool.connect(database.environment, database.environment["APPLICATION_DB"])

    columns = {"orders": ("id", "user_id", "status", "created_at")}
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        copying.load(connect, columns, [rows.Part(orphan)], lambda _: None)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required: name"),
        (["nosuch"], "invalid choice: 'nosuch'"),
        (["../app/users"], "invalid choice"),
        (["orders", "--size", "many"], "invalid int value: 'many'"),
    ],
)
def test_what_is_no_scenario_is_told_what_there_is(
    arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["scenarios", *arguments])

    with pytest.raises(SystemExit) as refused:
        main()

    assert refused.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_story_is_told_to_an_empty_database_only(database: Database) -> None:
    told = command(database.environment, "starter")
    again = command(database.environment, "orders", "--size", "100")

    rows = "8 products, 6 users, 12 orders, 26 order events, 20 order lines"
    assert (told.returncode, told.stdout) == (0, f"starter: {rows}\n")
    assert (again.returncode, again.stdout) == (0, "The database is not empty: nothing was added.\n")


def test_one_that_raises_in_another_process_is_named_with_its_line(database: Database, tmp_path: Path) -> None:
    for part in ("app", "scenarios"):
        shutil.copytree(paths.ROOT / part, tmp_path / part)
    shutil.copy(paths.ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "scenarios" / "told.py").write_text(RAISES_ELSEWHERE)

    failed = command(database.environment, "told", folder=tmp_path)

    assert (failed.returncode, failed.stderr) == (1, "scenarios/told.py:8: KeyError: 7\n")


def tell(database: Database, name: str, seed: int = 1) -> str:
    return loader.load(database.url, name, SMALL.get(name), seed)


def row_counts(database: Database) -> dict[str, int]:
    with database.session() as session:
        return {
            name: session.scalars(select(func.count()).select_from(table)).one()
            for name, table in Base.metadata.tables.items()
        }


def rules(database: Database) -> list[tuple[object, ...]]:
    with database_pool.connect(database.environment, database.environment["APPLICATION_DB"]) as connection:
        return connection.execute(RULES).fetchall()


def digest(database: Database, name: str, seed: int) -> str:
    """Return a hash of all rows, and empty the tables."""
    tell(database, name, seed)
    found = hashlib.sha256()
    with database_pool.connect(database.environment, database.environment["APPLICATION_DB"]) as connection:
        for table in Base.metadata.sorted_tables:
            key = ", ".join(column.name for column in table.primary_key)
            rows_in_order = f"COPY (SELECT * FROM {table.name} ORDER BY {key}) TO STDOUT"  # noqa: S608  our own names
            with connection.cursor().copy(rows_in_order) as copied:
                for block in copied:
                    found.update(block)
        connection.execute(f"TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY")
    return found.hexdigest()


def command(
    environment: dict[str, str], *arguments: str, folder: Path = paths.ROOT
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", workspace.LOADING, *arguments],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )
