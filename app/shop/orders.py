"""Orders: placing one takes goods from the stock, cancelling it returns them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from blinker import Signal
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.accounts.errors import UnknownUser
from app.accounts.models import User
from app.shop.errors import InvalidTransition, OutOfStock, Shortage, StockFull, UnknownOrder, UnknownProduct
from app.shop.models import Order, OrderEvent, OrderLine, OrderStatus, Product
from groundwork.flask.database import INTEGER_MAX

Entity = TypeVar("Entity", Order, Product)

TRANSITIONS = {
    OrderStatus.PLACED: {OrderStatus.PAID, OrderStatus.CANCELLED},
    OrderStatus.PAID: {OrderStatus.SHIPPED, OrderStatus.CANCELLED},
    OrderStatus.SHIPPED: set(),
    OrderStatus.CANCELLED: set(),
}

placed = Signal("An order was placed, in the transaction of the session that is sent.")


def place(session: Session, user_id: int, quantities: Mapping[int, int], by: int | None = None) -> Order:
    """Place an order for `quantities`, pieces by product id, at current prices; the actor `by` is by default the user.

    Return it with its user, its lines and their products. Raise UnknownUser, UnknownProduct or OutOfStock, the last two
    with every product concerned.
    """
    user = session.get(User, user_id)
    if user is None:
        raise UnknownUser(user_id)
    products = _lock_products(session, quantities)
    _check_stock(products, quantities)

    order = Order(user=user, status=OrderStatus.PLACED)
    order.events = [OrderEvent(status=OrderStatus.PLACED, by_id=by or user_id)]
    for product in products:
        quantity = quantities[product.id]
        order.lines.append(OrderLine(product=product, quantity=quantity, unit_price_cents=product.price_cents))
        product.stock -= quantity
    session.add(order)
    session.flush()
    placed.send(session)
    return order


def pay(session: Session, order_id: int, by: int | None = None) -> Order:
    """Mark the order as paid; see `advance`."""
    return advance(session, order_id, OrderStatus.PAID, by)


def ship(session: Session, order_id: int, by: int | None = None) -> Order:
    """Mark the order as shipped; see `advance`."""
    return advance(session, order_id, OrderStatus.SHIPPED, by)


def cancel(session: Session, order_id: int, by: int | None = None) -> Order:
    """Cancel the order; see `advance`."""
    return advance(session, order_id, OrderStatus.CANCELLED, by)


def advance(
    session: Session, order_id: int, status: OrderStatus, by: int | None = None, owner_id: int | None = None
) -> Order:
    """Pay, ship or cancel an order; cancelling returns its goods to the stock.

    The actor `by` is recorded in its events. Raise UnknownOrder, also for an order of a user other than `owner_id`;
    InvalidTransition if its status forbids the change; StockFull if the stock would exceed its maximum.
    """
    order = _found(session, order_id, owner_id, lock=True)
    if status not in TRANSITIONS[order.status]:
        raise InvalidTransition(order_id, current=order.status, wanted=status)
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


def find(session: Session, order_id: int, owner_id: int | None = None) -> Order:
    """Return the order with its user, its lines and their products.

    Raise UnknownOrder, also for an order of a user other than `owner_id`.
    """
    return _found(session, order_id, owner_id)


def list_events(session: Session, order_id: int) -> Sequence[OrderEvent]:
    """Return the order's events with their actors, oldest first."""
    statement = select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.id)
    return session.scalars(statement.options(joinedload(OrderEvent.by))).all()


def _found(session: Session, order_id: int, owner_id: int | None, *, lock: bool = False) -> Order:
    statement = (
        select(Order)
        .where(Order.id == order_id)
        .options(joinedload(Order.user, innerjoin=True), selectinload(Order.lines).joinedload(OrderLine.product))
    )
    order = session.scalar(_locked(statement, Order) if lock else statement)
    if order is None or owner_id not in (None, order.user_id):
        raise UnknownOrder(order_id)
    return order


def _lock_products(session: Session, product_ids: Iterable[int]) -> Sequence[Product]:
    """Lock and return the products; raise UnknownProduct if any is missing."""
    wanted = set(product_ids)
    # Sorted by id, so that two orders for the same goods cannot deadlock.
    statement = select(Product).where(Product.id.in_(wanted)).order_by(Product.id)
    products = session.scalars(_locked(statement, Product)).all()
    missing = wanted - {product.id for product in products}
    if missing:
        raise UnknownProduct(sorted(missing))
    return products


def _locked(statement: Select[Entity], table: type[Entity]) -> Select[Entity]:
    """Add FOR UPDATE; reload entities that were read before the lock and may have changed since."""
    return statement.with_for_update(of=table).execution_options(populate_existing=True)


def _check_stock(products: Iterable[Product], quantities: Mapping[int, int]) -> None:
    shortages = [
        Shortage(product.id, product.name, wanted=quantities[product.id], left=product.stock)
        for product in products
        if product.stock < quantities[product.id]
    ]
    if shortages:
        raise OutOfStock(shortages)
