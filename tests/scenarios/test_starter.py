"""The stories, told to a database of their own."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from app.models import Order, OrderStatus, Product
from scenarios import starter
from tests.service import Database

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_starter_is_told_once(database: Database) -> None:
    told = scenario(database, "starter")
    again = scenario(database, "starter")

    assert (told.returncode, told.stdout) == (0, "starter: 5 users, 8 products, 12 orders\n")
    assert (again.returncode, again.stdout) == (0, "The database has users already: nothing was added.\n")
    assert count_orders(database) == 12


def test_the_starter_has_every_status_and_goods_that_run_out(session: Session) -> None:
    starter.fill(session)

    assert set(session.scalars(select(Order.status))) == set(OrderStatus)
    assert session.scalars(select(func.min(Product.stock))).one() == 0


@pytest.mark.parametrize("arguments", [[], ["nosuch"], ["__main__"], ["starter", "starter"], ["../app/users"]])
def test_what_is_no_scenario_is_told_the_names_of_those_there_are(database: Database, arguments: list[str]) -> None:
    refused = scenario(database, *arguments)

    assert refused.returncode == 2
    assert refused.stderr == "usage: python -m scenarios NAME, with one of: starter\n"
    assert count_orders(database) == 0


def scenario(database: Database, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "scenarios", *arguments],
        cwd=ROOT,
        env=database.environment,
        text=True,
        capture_output=True,
        check=False,
    )


def count_orders(database: Database) -> int:
    engine = create_engine(database.url)
    with Session(engine) as session:
        count = session.scalars(select(func.count(Order.id))).one()
    engine.dispose()
    return count
