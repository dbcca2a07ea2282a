"""Deadlocks of orders with other transactions."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from app.accounts import users
from app.shop import products
from app.shop.models import Product
from groundwork.testing.service import Database, wait_until
from tests.accounts import clerk
from tests.app.test_outage import WAITS_FOR_A_LOCK, assert_unavailable


def test_who_is_chosen_to_end_a_deadlock_is_told_to_try_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c deadlock_timeout=50ms")  # instead of a second
    app = database.app()
    user, *goods = stock_shop(database)
    with database.session() as session:
        token = clerk(session)
        session.commit()
    order = {"user_id": user, "lines": [{"product_id": product, "quantity": 1} for product in goods]}

    with database.session() as other, ThreadPoolExecutor() as sender, database.session() as watcher:
        watcher.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        other.execute(text("SET deadlock_timeout = '1h'"))  # so that it is the service that looks for one
        other.execute(select(Product).where(Product.id == goods[1]).with_for_update())
        sent = sender.submit(lambda: app.test_client().post("/api/orders", json=order, headers=token))
        wait_until(lambda: watcher.scalar(WAITS_FOR_A_LOCK) == 1)
        other.execute(select(Product).where(Product.id == goods[0]).with_for_update())
        other.rollback()

    assert_unavailable(sent.result())
    assert app.test_client().post("/api/orders", json=order, headers=token).status_code == 201


def stock_shop(database: Database) -> list[int]:
    """Add a user and two products. Return their IDs."""
    with database.session() as session:
        user = users.register(session, "ada@example.com", "Ada")
        goods = [products.add(session, f"SKU-{number}", "Thing", 100, 10) for number in range(2)]
        session.commit()
        return [user.id, *(product.id for product in goods)]
