"""Placing, changing and cancelling orders."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from app.accounts import users
from app.accounts.errors import UnknownUser
from app.accounts.models import Role, User
from app.shop import orders, products
from app.shop.errors import InvalidTransition, OutOfStock, UnknownOrder, UnknownProduct
from app.shop.models import Order, OrderStatus, Product


def test_an_order_takes_its_goods_from_the_stock(session: Session, ada: User, mug: Product, pot: Product) -> None:
    order = orders.place(session, ada.id, {mug.id: 2, pot.id: 1})

    assert (mug.stock, pot.stock) == (8, 2)
    assert order.status is OrderStatus.PLACED
    assert order.total_cents == 2 * 1800 + 6400


def test_an_order_keeps_the_price_it_was_placed_at(session: Session, ada: User, mug: Product) -> None:
    order = orders.place(session, ada.id, {mug.id: 1})

    mug.price_cents = 9900
    session.flush()
    session.expire_all()

    assert orders.find(session, order.id).total_cents == 1800


def test_the_last_piece_can_be_bought(session: Session, ada: User, pot: Product) -> None:
    orders.place(session, ada.id, {pot.id: 3})

    assert pot.stock == 0


def test_an_order_larger_than_the_stock_changes_nothing(
    session: Session, ada: User, mug: Product, pot: Product
) -> None:
    with pytest.raises(OutOfStock):
        orders.place(session, ada.id, {mug.id: 1, pot.id: 4})
    session.flush()
    session.expire_all()

    assert (mug.stock, pot.stock) == (10, 3)
    assert session.scalar(select(func.count(Order.id))) == 0


def test_every_shortage_is_named_at_once(session: Session, ada: User, mug: Product, pot: Product) -> None:
    with pytest.raises(OutOfStock, match="11 of Mug wanted, 10 left; 4 of Teapot wanted, 3 left") as raised:
        orders.place(session, ada.id, {pot.id: 4, mug.id: 11})

    assert [shortage.product_id for shortage in raised.value.shortages] == [mug.id, pot.id]


def test_every_unknown_product_is_named_at_once(session: Session, ada: User, mug: Product) -> None:
    with pytest.raises(UnknownProduct) as raised:
        orders.place(session, ada.id, {mug.id: 1, 9_000_001: 1, 9_000_000: 1})

    assert raised.value.product_ids == [9_000_000, 9_000_001]


def test_nobody_unknown_can_order(session: Session, mug: Product) -> None:
    with pytest.raises(UnknownUser):
        orders.place(session, 9_000_000, {mug.id: 1})

    session.expire_all()
    assert mug.stock == 10


def test_an_order_is_paid_and_then_shipped(session: Session, ada: User, mug: Product) -> None:
    order = orders.place(session, ada.id, {mug.id: 1})

    orders.pay(session, order.id)
    orders.ship(session, order.id)

    session.expire_all()
    assert orders.find(session, order.id).status is OrderStatus.SHIPPED


def test_an_order_keeps_a_trail_of_what_it_became_and_by_whom(session: Session, ada: User, mug: Product) -> None:
    clerk = users.register(session, "clerk@example.com", "Clerk", role=Role.STAFF)
    order = orders.place(session, ada.id, {mug.id: 1})

    orders.pay(session, order.id)
    orders.cancel(session, order.id, by=clerk.id)

    session.expire_all()
    assert [(event.status, event.by and event.by.name) for event in orders.list_events(session, order.id)] == [
        (OrderStatus.PLACED, "Ada"),
        (OrderStatus.PAID, None),
        (OrderStatus.CANCELLED, "Clerk"),
    ]


def test_what_is_refused_leaves_no_trail(session: Session, ada: User, mug: Product) -> None:
    order = orders.place(session, ada.id, {mug.id: 1})

    with pytest.raises(InvalidTransition):
        orders.ship(session, order.id)

    assert len(orders.list_events(session, order.id)) == 1


def test_an_order_of_somebody_else_is_as_one_that_there_is_not(session: Session, ada: User, mug: Product) -> None:
    bruno = users.register(session, "bruno@example.com", "Bruno")
    order = orders.place(session, ada.id, {mug.id: 1})

    with pytest.raises(UnknownOrder):
        orders.find(session, order.id, owner_id=bruno.id)
    with pytest.raises(UnknownOrder):
        orders.advance(session, order.id, OrderStatus.CANCELLED, owner_id=bruno.id)
    assert orders.find(session, order.id, owner_id=ada.id).id == order.id


@pytest.mark.parametrize("before", [[], [orders.pay]], ids=["placed", "paid"])
def test_a_cancelled_order_gives_its_goods_back(
    session: Session, ada: User, mug: Product, pot: Product, before: list[Callable[[Session, int], Order]]
) -> None:
    order = orders.place(session, ada.id, {mug.id: 2, pot.id: 3})
    for step in before:
        step(session, order.id)

    orders.cancel(session, order.id)

    session.expire_all()
    assert (mug.stock, pot.stock) == (10, 3)


@pytest.mark.parametrize(
    ("done", "attempted"),
    [
        ([], orders.ship),
        ([orders.pay], orders.pay),
        ([orders.pay, orders.ship], orders.cancel),
        ([orders.cancel], orders.cancel),
        ([orders.cancel], orders.pay),
    ],
    ids=["shipped unpaid", "paid twice", "cancelled though shipped", "cancelled twice", "paid though cancelled"],
)
def test_an_order_cannot_be(
    session: Session,
    ada: User,
    mug: Product,
    done: list[Callable[[Session, int], Order]],
    attempted: Callable[[Session, int], Order],
) -> None:
    order = orders.place(session, ada.id, {mug.id: 4})
    for step in done:
        step(session, order.id)
    status, stock = orders.find(session, order.id).status, mug.stock

    with pytest.raises(InvalidTransition):
        attempted(session, order.id)

    session.flush()
    session.expire_all()
    assert (orders.find(session, order.id).status, mug.stock) == (status, stock)


def test_an_unknown_order_is_named(session: Session) -> None:
    with pytest.raises(UnknownOrder, match="There is no order 7"):
        orders.pay(session, 7)


def test_what_belongs_to_an_order_is_not_read_row_by_row(session: Session, ada: User, mug: Product) -> None:
    orders.place(session, ada.id, {mug.id: 1})
    session.expire_all()

    [bare] = session.scalars(select(Order))

    with pytest.raises(InvalidRequestError):
        bare.lines  # noqa: B018


@pytest.fixture
def ada(session: Session) -> User:
    return users.register(session, "ada@example.com", "Ada")


@pytest.fixture
def mug(session: Session) -> Product:
    return products.add(session, "MUG-01", "Mug", 1800, 10)


@pytest.fixture
def pot(session: Session) -> Product:
    return products.add(session, "POT-01", "Teapot", 6400, 3)
