"""What was sold."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from app import orders, products, sales, users
from app.models import Order, OrderStatus
from app.sales import Buyer, Goods, Line, Sale, Wanted
from scenarios.lab import plans
from tests.service import Database

FEW_PAGES, PAGES_AN_ORDER = 30, 25
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_a_sale_is_its_order_with_all_that_belongs_to_it(session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    pot = products.add(session, "POT-01", "Teapot", 6400, 3)
    order = orders.place(session, ada.id, {pot.id: 1, mug.id: 2})

    [sale] = sales.newest(session, limit=2)

    assert sale == Sale(
        order.id,
        Buyer(ada.id, "Ada"),
        OrderStatus.PLACED,
        order.created_at,
        [Line(Goods(mug.id, "MUG-01", "Mug"), 2, 1800), Line(Goods(pot.id, "POT-01", "Teapot"), 1, 6400)],
    )
    assert sale.total_cents == order.total_cents == 10000


def test_an_order_without_lines_is_a_sale_too(session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    session.add(Order(user_id=ada.id, status=OrderStatus.CANCELLED))
    session.flush()

    [sale] = sales.newest(session, limit=2)

    assert sale.lines == []
    assert sale.total_cents == 0


def test_the_newest_come_first_a_page_at_a_time(session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    now = datetime.now(UTC)
    placed = [orders.find(session, orders.place(session, ada.id, {mug.id: 1}).id) for _ in range(5)]
    for order, hours_ago in zip(placed, [3, 1, 1, 5, 0], strict=True):
        order.created_at = now - timedelta(hours=hours_ago)
    session.flush()

    first = sales.newest(session, limit=2)
    second = sales.newest(session, 2, Wanted(after=first[-1].place))
    third = sales.newest(session, 2, Wanted(after=second[-1].place))

    assert [sale.id for sale in (*first, *second, *third)] == [placed[number].id for number in (4, 2, 1, 0, 3)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [3, 2, 1, 0]),
        (Wanted(status=OrderStatus.PAID), [2, 0]),
        (Wanted(since=NOON + timedelta(hours=1)), [3, 2, 1]),
        (Wanted(until=NOON + timedelta(hours=1)), [0]),
        (Wanted(status=OrderStatus.PLACED, since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3)), [1]),
    ],
    ids=["all", "in a state", "since", "until", "all at once"],
)
def test_some_are_wanted(session: Session, wanted: Wanted, found: list[int]) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    statuses = [OrderStatus.PAID, OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.PLACED]
    placed = [
        Order(user_id=ada.id, status=status, created_at=NOON + timedelta(hours=hours))
        for hours, status in enumerate(statuses)
    ]
    session.add_all(placed)
    session.flush()

    assert [sale.id for sale in sales.newest(session, 10, wanted)] == [placed[number].id for number in found]


@pytest.mark.scenario("orders", size=20_000)
def test_whatever_is_wanted_an_index_leads_there(database: Database) -> None:
    with database.session() as session:
        first, middle, last = session.scalars(select(Order).where(Order.id.in_([1, 10_000, 20_000])).order_by(Order.id))
    engine = create_engine(database.url)
    with plans.reported(engine) as asked, Session(engine) as session:
        for user_id, status, since, until, after in product(
            (None, middle.user_id),
            (None, *OrderStatus),
            (None, middle.created_at - timedelta(days=90)),
            (None, first.created_at, middle.created_at),
            (None, first.place, middle.place, last.place),
        ):
            wanted = Wanted(user_id, status, since, until, after)
            asked.clear()

            found = sales.newest(session, 20, wanted)

            session.rollback()  # a plan is reported when its statement is closed
            [plan] = asked
            assert plan.buffers < FEW_PAGES + PAGES_AN_ORDER * len(found), wanted


def test_those_of_one_customer_are_wanted(session: Session) -> None:
    ada, bruno = (users.register(session, f"{name}@example.com", name) for name in ("ada", "bruno"))
    session.add_all([Order(user_id=user.id, status=OrderStatus.PAID) for user in (ada, bruno, ada)])
    session.flush()

    assert {sale.user.name for sale in sales.newest(session, 10, Wanted(user_id=ada.id))} == {"ada"}
    assert len(sales.newest(session, 10, Wanted(user_id=ada.id))) == 2
