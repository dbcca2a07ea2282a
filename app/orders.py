"""Buying: the goods leave the stock when an order is placed, and come back when it is cancelled."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app import users
from app.database import INTEGER_MAX
from app.errors import NotPossibleAnyMore, OutOfStock, Shortage, StockFull, UnknownOrder, UnknownProduct
from app.models import Order, OrderEvent, OrderLine, OrderStatus, Product

Entity = TypeVar("Entity", Order, Product)

FOLLOWS = {
    OrderStatus.PLACED: {OrderStatus.PAID, OrderStatus.CANCELLED},
    OrderStatus.PAID: {OrderStatus.SHIPPED, OrderStatus.CANCELLED},
    OrderStatus.SHIPPED: set(),
    OrderStatus.CANCELLED: set(),
}


def place(session: Session, user_id: int, quantities: Mapping[int, int], by: int | None = None) -> Order:
    """Sell `quantities`, pieces by product id, at the prices of this moment; `by` whom, by default the user.

    Raises UnknownUser, UnknownProduct or OutOfStock, the last two with every product concerned.
    """
    user = users.find(session, user_id)
    products = _lock_products(session, quantities)
    _check_stock(products, quantities)

    for product in products:
        product.stock -= quantities[product.id]
    lines = [
        OrderLine(product=product, quantity=quantities[product.id], unit_price_cents=product.price_cents)
        for product in products
    ]
    placed = OrderEvent(status=OrderStatus.PLACED, by_id=by or user_id)
    order = Order(user=user, status=OrderStatus.PLACED, lines=lines, trail=[placed])
    session.add(order)
    session.flush()
    return order


def pay(session: Session, order_id: int, by: int | None = None) -> Order:
    """As `advance`."""
    return advance(session, order_id, OrderStatus.PAID, by)


def ship(session: Session, order_id: int, by: int | None = None) -> Order:
    """As `advance`."""
    return advance(session, order_id, OrderStatus.SHIPPED, by)


def cancel(session: Session, order_id: int, by: int | None = None) -> Order:
    """As `advance`."""
    return advance(session, order_id, OrderStatus.CANCELLED, by)


def advance(
    session: Session, order_id: int, status: OrderStatus, by: int | None = None, of: int | None = None
) -> Order:
    """Pay, ship or cancel it; what is cancelled goes back into the stock.

    `by` whom, is part of its trail. Raises UnknownOrder, also where it is not an order `of` that user;
    NotPossibleAnyMore, or StockFull.
    """
    order = _found(session, order_id, of, lock=True)
    if status not in FOLLOWS[order.status]:
        raise NotPossibleAnyMore(order_id, current=order.status, wanted=status)
    order.status = status
    session.add(OrderEvent(order_id=order.id, status=status, by_id=by))
    if status is OrderStatus.CANCELLED:
        quantities = {line.product_id: line.quantity for line in order.lines}
        for product in _lock_products(session, quantities):
            if product.stock + quantities[product.id] > INTEGER_MAX:
                raise StockFull(product.id, product.name)
            product.stock += quantities[product.id]
    session.flush()
    return order


def find(session: Session, order_id: int, of: int | None = None) -> Order:
    """With its user, its lines and their products.

    Raises UnknownOrder, also where it is not an order `of` that user.
    """
    return _found(session, order_id, of)


def trail(session: Session, order_id: int) -> Sequence[OrderEvent]:
    """What became of it, and by whom, the first first."""
    statement = select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.id)
    return session.scalars(statement.options(joinedload(OrderEvent.by))).all()


def _found(session: Session, order_id: int, of: int | None, *, lock: bool = False) -> Order:
    statement = (
        select(Order)
        .where(Order.id == order_id)
        .options(joinedload(Order.user, innerjoin=True), selectinload(Order.lines).joinedload(OrderLine.product))
    )
    order = session.scalar(_locked(statement, Order) if lock else statement)
    if order is None or of not in (None, order.user_id):
        raise UnknownOrder(order_id)
    return order


def _lock_products(session: Session, product_ids: Iterable[int]) -> Sequence[Product]:
    """Raises UnknownProduct."""
    wanted = set(product_ids)
    # Always in the order of the ids, so that two orders for the same goods cannot deadlock.
    statement = select(Product).where(Product.id.in_(wanted)).order_by(Product.id)
    products = session.scalars(_locked(statement, Product)).all()
    missing = wanted - {product.id for product in products}
    if missing:
        raise UnknownProduct(sorted(missing))
    return products


def _locked(statement: Select[Entity], table: type[Entity]) -> Select[Entity]:
    """What was read before the lock may have changed since: it is read again."""
    return statement.with_for_update(of=table).execution_options(populate_existing=True)


def _check_stock(products: Iterable[Product], quantities: Mapping[int, int]) -> None:
    shortages = [
        Shortage(product.id, product.name, wanted=quantities[product.id], left=product.stock)
        for product in products
        if product.stock < quantities[product.id]
    ]
    if shortages:
        raise OutOfStock(shortages)
