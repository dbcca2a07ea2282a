"""Concurrent orders with real commits."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from app.accounts import users
from app.shop import orders, products
from app.shop.errors import InvalidTransition, OutOfStock
from app.shop.models import Order, OrderLine, OrderStatus, Product
from groundwork.testing.service import Database
from tests.accounts import token

BUYERS = 20
RUSH, LAST = 64, 100
TRIES = 10


def test_twenty_buyers_of_the_last_five_pieces_get_five(engine: Engine) -> None:
    user, mug = stock_shop(engine, 5)

    def buy(session: Session, _number: int) -> str:
        try:
            orders.place(session, user, {mug: 1})
        except OutOfStock:
            return "too late"
        return "bought"

    outcome = at_once(engine, buy)

    assert outcome == {"bought": 5, "too late": 15}
    assert stock(engine) == [0]
    assert sold(engine) == 5


def test_a_rush_for_the_last_hundred_sells_exactly_these(database: Database) -> None:
    """The test uses HTTP and a service with a pool as large as in production.

    A request that waits too long gets a 503 and changes nothing. A retry succeeds.
    """
    app = database.app()
    with database.session() as session:
        mug = products.add(session, "MUG-01", "Mug", 1800, LAST)
        tokens = [token(session, users.register(session, f"{n}@example.com", f"Buyer {n}")) for n in range(RUSH)]
        session.commit()
        order = {"lines": [{"product_id": mug.id, "quantity": 1}]}
    everybody_is_here = Barrier(RUSH)

    def buy(header: dict[str, str]) -> Counter[int]:
        client = app.test_client()
        everybody_is_here.wait()
        return Counter(answer(client, header) for _ in range(3))

    def answer(client: FlaskClient, header: dict[str, str]) -> int:
        statuses = (client.post("/api/orders", json=order, headers=header).status_code for _ in range(TRIES))
        return next((status for status in statuses if status != 503), 503)

    with ThreadPoolExecutor(RUSH) as buyers:
        answered = sum(buyers.map(buy, tokens), Counter())

    assert answered == {201: LAST, 409: 3 * RUSH - LAST}
    with database.session() as session:
        assert session.scalar(select(Product.stock)) == 0
        assert session.scalar(select(func.count(Order.id))) == LAST
        assert session.scalar(select(func.sum(OrderLine.quantity))) == LAST


def test_a_stock_read_before_the_lock_is_not_trusted(engine: Engine) -> None:
    user, mug = stock_shop(engine, 5)

    def buy(session: Session, _number: int) -> str:
        assert products.find(session, mug).stock == 5
        everybody_has_looked.wait()
        try:
            orders.place(session, user, {mug: 1})
        except OutOfStock:
            return "too late"
        return "bought"

    everybody_has_looked = Barrier(BUYERS)
    outcome = at_once(engine, buy)

    assert outcome == {"bought": 5, "too late": 15}
    assert stock(engine) == [0]


def test_orders_that_cross_do_not_deadlock(engine: Engine) -> None:
    user, *goods = stock_shop(engine, 1000, 1000, 1000, 1000)

    def buy(session: Session, number: int) -> str:
        for _ in range(10):
            mixed = random.Random(number).sample(goods, len(goods))  # noqa: S311  no secret is made of it
            orders.place(session, user, dict.fromkeys(mixed[:: (-1) ** number], 1))
            session.commit()
        return "bought"

    outcome = at_once(engine, buy)

    assert outcome == {"bought": BUYERS}
    assert stock(engine) == [1000 - 10 * BUYERS] * 4


def test_orders_and_cancellations_that_cross_lose_no_piece(engine: Engine) -> None:
    user, mug, pot = stock_shop(engine, 100, 100)

    def buy_and_regret(session: Session, number: int) -> str:
        for _ in range(5):
            order = orders.place(session, user, {mug: 1, pot: 2} if number % 2 else {pot: 2, mug: 1})
            session.commit()
            orders.cancel(session, order.id)
            session.commit()
        return "regretted"

    outcome = at_once(engine, buy_and_regret)

    assert outcome == {"regretted": BUYERS}
    assert stock(engine) == [100, 100]


def test_an_order_that_many_cancel_comes_back_once(engine: Engine) -> None:
    user, mug = stock_shop(engine, 5)
    with Session(engine) as session:
        order = orders.place(session, user, {mug: 5}).id
        session.commit()

    def cancel(session: Session, _number: int) -> str:
        try:
            orders.cancel(session, order)
        except InvalidTransition:
            return "too late"
        return "cancelled"

    outcome = at_once(engine, cancel)

    assert outcome == {"cancelled": 1, "too late": BUYERS - 1}
    assert stock(engine) == [5]


def test_a_status_read_before_the_lock_is_not_trusted(engine: Engine) -> None:
    user, mug = stock_shop(engine, 5)
    with Session(engine) as session:
        order = orders.place(session, user, {mug: 5})
        session.commit()
        assert orders.find(session, order.id).status is OrderStatus.PLACED
        with Session(engine) as other:
            orders.cancel(other, order.id)
            other.commit()

        with pytest.raises(InvalidTransition):
            orders.cancel(session, order.id)


def stock_shop(engine: Engine, *stocks: int) -> list[int]:
    """Add a user, and a product for each of `stocks`. Return their IDs in this order."""
    with Session(engine) as session:
        user = users.register(session, "ada@example.com", "Ada")
        goods = [products.add(session, f"SKU-{n}", f"Thing {n}", 100, stock) for n, stock in enumerate(stocks)]
        session.commit()
        return [user.id, *(product.id for product in goods)]


def at_once(engine: Engine, buy: Callable[[Session, int], str]) -> Counter[str]:
    start = Barrier(BUYERS)

    def run(number: int) -> str:
        with Session(engine) as session:
            start.wait()
            outcome = buy(session, number)
            session.commit()
            return outcome

    with ThreadPoolExecutor(BUYERS) as pool:
        return Counter(pool.map(run, range(BUYERS)))


def stock(engine: Engine) -> list[int]:
    with Session(engine) as session:
        return list(session.scalars(select(Product.stock).order_by(Product.id)))


def sold(engine: Engine) -> int:
    with Session(engine) as session:
        assert session.scalar(select(func.count(Order.id))) == session.scalar(select(func.count(OrderLine.order_id)))
        return session.scalars(select(func.sum(OrderLine.quantity))).one()


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    engine = create_engine(database.url, pool_size=BUYERS)
    yield engine
    engine.dispose()
