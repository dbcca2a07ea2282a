"""What was sold."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app import orders, products, sales, users
from app.models import Order, OrderStatus
from app.sales import Buyer, Goods, Line, Sale


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
    placed = [orders.place(session, ada.id, {mug.id: 1}) for _ in range(5)]
    for order, hours_ago in zip(placed, [3, 1, 1, 5, 0], strict=True):
        order.created_at = now - timedelta(hours=hours_ago)
    session.flush()

    first = sales.newest(session, limit=2)
    second = sales.newest(session, limit=2, before=first[-1].id)
    third = sales.newest(session, limit=2, before=second[-1].id)

    assert [sale.id for sale in (*first, *second, *third)] == [placed[number].id for number in (4, 2, 1, 0, 3)]
