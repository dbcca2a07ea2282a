"""Lists of orders."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from app.accounts import users
from app.shop import order_list, orders, products
from app.shop.models import Order, OrderStatus
from app.shop.order_list import OrderFilter
from groundwork.scenarios.explain import plans
from groundwork.testing.service import Database

FEW_PAGES, PAGES_AN_ORDER = 30, 25
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_a_sale_is_its_order_with_all_that_belongs_to_it(session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    pot = products.add(session, "POT-01", "Teapot", 6400, 3)
    order = orders.place(session, ada.id, {pot.id: 1, mug.id: 2})

    [sale] = order_list.list_orders(session, limit=2)

    assert sale is order
    assert (sale.user.name, sale.status) == ("Ada", OrderStatus.PLACED)
    assert [(line.product.name, line.quantity, line.unit_price_cents) for line in sale.lines] == [
        ("Mug", 2, 1800),
        ("Teapot", 1, 6400),
    ]
    assert sale.total_cents == 10000


def test_an_order_without_lines_is_a_sale_too(session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    session.add(Order(user_id=ada.id, status=OrderStatus.CANCELLED))
    session.flush()

    [sale] = order_list.list_orders(session, limit=2)

    assert sale.lines == []
    assert sale.total_cents == 0


def test_the_newest_come_first_a_page_at_a_time(session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    now = datetime.now(UTC)
    placed = [orders.place(session, ada.id, {mug.id: 1}) for _ in range(5)]
    for order, hours_ago in zip(placed, [3, 1, 1, 5, 0], strict=True):
        order.created_at = now - timedelta(hours=hours_ago)
    session.flush()

    first = order_list.list_orders(session, limit=2)
    second = order_list.list_orders(session, 2, OrderFilter(after=first[-1].page_key))
    third = order_list.list_orders(session, 2, OrderFilter(after=second[-1].page_key))

    assert [sale.id for sale in (*first, *second, *third)] == [placed[number].id for number in (4, 2, 1, 0, 3)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (OrderFilter(), [3, 2, 1, 0]),
        (OrderFilter(status=OrderStatus.PAID), [2, 0]),
        (OrderFilter(since=NOON + timedelta(hours=1)), [3, 2, 1]),
        (OrderFilter(until=NOON + timedelta(hours=1)), [0]),
        (OrderFilter(status=OrderStatus.PLACED, since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3)), [1]),
    ],
    ids=["all", "in a state", "since", "until", "all at once"],
)
def test_some_are_wanted(session: Session, wanted: OrderFilter, found: list[int]) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    statuses = [OrderStatus.PAID, OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.PLACED]
    placed = [
        Order(user_id=ada.id, status=status, created_at=NOON + timedelta(hours=hours))
        for hours, status in enumerate(statuses)
    ]
    session.add_all(placed)
    session.flush()

    assert [sale.id for sale in order_list.list_orders(session, 10, wanted)] == [placed[number].id for number in found]


@pytest.mark.scenario("orders", size=20_000)
def test_whatever_is_wanted_an_index_leads_there(database: Database) -> None:
    with database.session() as session:
        first, middle, last = session.scalars(select(Order).where(Order.id.in_([1, 10_000, 20_000])).order_by(Order.id))
    engine = create_engine(database.url)
    with plans.capture(engine) as asked, Session(engine) as session:
        for user_id, status, since, until, after in product(
            (None, middle.user_id),
            (None, *OrderStatus),
            (None, middle.created_at - timedelta(days=90)),
            (None, first.created_at, middle.created_at),
            (None, first.page_key, middle.page_key, last.page_key),
        ):
            wanted = OrderFilter(user_id, status, since, until, after)
            asked.clear()

            found = order_list.list_orders(session, 20, wanted)

            session.rollback()  # a plan is reported when its statement is closed
            assert asked
            assert all(plan.buffers < FEW_PAGES + PAGES_AN_ORDER * len(found) for plan in asked), wanted


def test_those_of_one_customer_are_wanted(session: Session) -> None:
    ada, bruno = (users.register(session, f"{name}@example.com", name) for name in ("ada", "bruno"))
    session.add_all([Order(user_id=user.id, status=OrderStatus.PAID) for user in (ada, bruno, ada)])
    session.flush()

    assert {sale.user.name for sale in order_list.list_orders(session, 10, OrderFilter(user_id=ada.id))} == {"ada"}
    assert len(order_list.list_orders(session, 10, OrderFilter(user_id=ada.id))) == 2
