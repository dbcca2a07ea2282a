"""Prometheus metrics of the shop."""

import pytest
from flask import Flask
from prometheus_client import REGISTRY

from app.accounts import users
from app.shop import orders, products
from groundwork.flask.database import db
from groundwork.testing.service import Database
from tests.accounts import clerk


def test_an_order_counts_once_it_is_committed(app: Flask, database: Database) -> None:
    order = {"user_id": 1, "lines": [{"product_id": 1, "quantity": 6}]}
    with database.session() as session:
        users.register(session, "ada@example.com", "Ada")
        products.add(session, "MUG-01", "Mug", 1800, 10)
        token = clerk(session)
        session.commit()

    before, client = count(), app.test_client()
    once = {**token, "Idempotency-Key": "mine"}
    statuses = [client.post("/api/orders", json=order, headers=once).status_code for _ in range(2)]
    statuses.append(client.post("/api/orders", json=order, headers=token).status_code)  # more than there are

    assert statuses == [201, 201, 409]
    assert count() - before == 1


def test_an_order_that_is_undone_counts_for_nothing(app: Flask) -> None:
    before = count()
    with app.app_context():
        session = db.session()
        user = users.register(session, "ada@example.com", "Ada")
        mug = products.add(session, "MUG-01", "Mug", 1800, 10)
        session.commit()

        orders.place(session, user.id, {mug.id: 1})
        session.rollback()
        undone = session.begin_nested()
        orders.place(session, user.id, {mug.id: 1})
        undone.rollback()
        with session.begin_nested():
            orders.place(session, user.id, {mug.id: 1})
        assert count() == before
        session.commit()

    assert count() - before == 1


def count() -> float:
    """Return the number of orders; earlier tests have counted too."""
    return REGISTRY.get_sample_value("orders_placed_total") or 0


@pytest.fixture
def app(database: Database) -> Flask:
    database.environment["METRICS_PORT"] = "9000"
    return database.app()
