"""What `inv bench.http` compares does the same work, and a layer that is taken away is gone."""

import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.models import IdempotencyKey, Order, OrderEvent, OrderLine, Product
from benchmarks.http import variants
from ops import project
from tests.service import Database, clerk

PAGE = "/api/orders?limit=20"
FULL_SHELVES = text("UPDATE products SET stock = 1000")

Serve = Callable[[str], Flask]


@pytest.mark.scenario("orders", size=100)
@pytest.mark.parametrize("module", ["bare", "plain"])
def test_a_page_is_the_same_whoever_reads_it(served: Serve, database: Database, module: str) -> None:
    token = staff(database)

    ours = database.app().test_client().get(PAGE, headers=token)
    theirs = served(module).test_client().get(PAGE)

    assert len(ours.get_json()["orders"]) == 20
    assert theirs.get_json() == ours.get_json()


@pytest.mark.scenario("orders", size=100)
def test_an_order_leaves_the_same_whoever_places_it(served: Serve, database: Database) -> None:
    token = staff(database)
    order = {"user_id": 3, "lines": [{"product_id": number, "quantity": number} for number in (5, 2, 7)]}

    left = []
    for client in (database.app().test_client(), served("bare").test_client()):
        with database.session() as session:
            session.execute(FULL_SHELVES)
            session.commit()
        answer = client.post("/api/orders", json=order, headers={**token, "Idempotency-Key": uuid4().hex})
        with database.session() as session:
            left.append(what_is_left(session, answer.get_json()))

    assert left[0] == left[1]
    assert left[0]["stock"] == {2: 998, 5: 995, 7: 993}


@pytest.mark.scenario("orders", size=100)
def test_by_hand_too_the_same_key_is_one_order(served: Serve, database: Database) -> None:
    client = served("bare").test_client()
    order = {"user_id": 3, "lines": [{"product_id": 1, "quantity": 1}]}
    with database.session() as session:
        session.execute(FULL_SHELVES)
        session.commit()

    keys = ("a key", "a key", "another")
    first, again, other = (client.post("/api/orders", json=order, headers={"Idempotency-Key": key}) for key in keys)

    assert first.status_code == 201
    assert first.data == again.data != other.data


@pytest.mark.parametrize(
    ("module", "answered"),
    [
        ("wsgi", "401 422 mine"),
        ("without_sign_in", "200 422 mine"),
        ("without_validation", "401 200 mine"),
        ("without_request_id", "401 422 groundwork"),
    ],
)
def test_a_layer_that_is_taken_away_is_gone_and_no_other(database: Database, module: str, answered: str) -> None:
    """In processes of their own: what they change, they change for good."""
    script = f"""
import sys
from importlib import import_module
from sqlalchemy import text
from app.database import db

app = import_module(sys.argv[1]).app
token = {staff(database)}

def get(headers, more=""):
    return app.test_client().get({PAGE!r} + more, headers=headers)

def called():
    with app.test_request_context("/healthz", headers={{"X-Request-ID": "mine"}}):
        app.preprocess_request()
        return db.session.scalar(text("SHOW application_name"))

print(get({{}}).status_code, get(token, "&colour=red").status_code, called())
"""

    assert told(database, script, module) == answered


def test_every_contender_has_a_name_of_its_own_and_one_replica() -> None:
    (every,) = variants.TOGETHER

    assert len({each.name for each in every}) == len(every)
    assert {each.sizes["WEB_REPLICAS"] for each in every} == {"1"}


def staff(database: Database) -> dict[str, str]:
    with database.session() as session:
        token = clerk(session)
        session.commit()
    return token


def what_is_left(session: Session, answer: dict[str, Any]) -> dict[str, Any]:
    """By an order that was answered so, but for its id and its time."""
    placed = answer.pop("id"), answer.pop("created_at")
    of_it = OrderLine.order_id == placed[0]
    key = session.scalars(select(IdempotencyKey).where(IdempotencyKey.location == f"/api/orders/{placed[0]}")).one()
    kept = json.loads(key.body)
    assert (kept.pop("id"), kept.pop("created_at")) == placed
    stock = select(Product.id, Product.stock).where(Product.id.in_(select(OrderLine.product_id).where(of_it)))
    return {
        "answer": answer,
        "kept": (key.user_id, key.status, kept),
        "order": session.execute(select(Order.user_id, Order.status).where(Order.id == placed[0])).one(),
        "lines": session.execute(
            select(OrderLine.product_id, OrderLine.quantity, OrderLine.unit_price_cents)
            .where(of_it)
            .order_by(OrderLine.product_id)
        ).all(),
        "events": session.scalars(select(OrderEvent.status).where(OrderEvent.order_id == placed[0])).all(),
        "stock": {each.id: each.stock for each in session.execute(stock)},
    }


def told(database: Database, script: str, module: str) -> str:
    environment = {**database.environment, "PYTHONPATH": f"{project.ROOT}:{variants.HERE}", "FLASK_CONFIG": "testing"}
    command = [sys.executable, "-c", script, module]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def served(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A contender, from its module, on the test's database."""
    for name, value in database.environment.items():
        monkeypatch.setenv(name, value)
    engines = []

    def serve(module: str) -> Flask:
        contender = runpy.run_path(str(variants.HERE / f"{module}.py"))
        engines.append(contender["engine"])
        app: Flask = contender["app"]
        return app

    yield serve
    for engine in engines:
        engine.dispose()
