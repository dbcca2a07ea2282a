"""Buying: the goods leave the stock when an order is placed, and come back when it is cancelled."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from blinker import Signal
from sqlalchemy import ARRAY, BigInteger, Select, bindparam, func, insert, literal, select, true, update
from sqlalchemy.orm import Session, joinedload, selectinload

from app.database import INTEGER_MAX
from app.errors import NotPossibleAnyMore, OutOfStock, Shortage, StockFull, UnknownOrder, UnknownProduct, UnknownUser
from app.models import Order, OrderEvent, OrderLine, OrderStatus, Product, User
from app.sales import Buyer, Goods, Line, Sale

Entity = TypeVar("Entity", Order, Product)

FOLLOWS = {
    OrderStatus.PLACED: {OrderStatus.PAID, OrderStatus.CANCELLED},
    OrderStatus.PAID: {OrderStatus.SHIPPED, OrderStatus.CANCELLED},
    OrderStatus.SHIPPED: set(),
    OrderStatus.CANCELLED: set(),
}

placed = Signal("An order was placed, in the transaction of the session that is sent.")


def place(session: Session, user_id: int, quantities: Mapping[int, int], by: int | None = None) -> Sale:
    """Sell `quantities`, pieces by product id, at the prices of this moment; `by` whom, by default the user.

    Raises UnknownUser, UnknownProduct or OutOfStock, the last two with every product concerned.
    """
    products = _lock_products(session, quantities)
    _check_stock(products, quantities)

    lines = [
        Line(Goods(product.id, product.sku, product.name), quantities[product.id], product.price_cents)
        for product in products
    ]
    values = {
        "user_id": user_id,
        "by_id": by or user_id,
        "product_ids": [line.product.id for line in lines],
        "quantities": [line.quantity for line in lines],
        "prices": [line.unit_price_cents for line in lines],
    }
    sold = session.connection().execute(_sale(), values).one_or_none()
    if sold is None:
        raise UnknownUser(user_id)
    for product in products:
        session.expire(product, ["stock"])
    placed.send(session)
    return Sale(sold.id, Buyer(user_id, sold.name), OrderStatus.PLACED, sold.created_at, lines)


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
    products = session.scalars(_goods(), {"ids": list(wanted)}).all()
    missing = wanted - {product.id for product in products}
    if missing:
        raise UnknownProduct(sorted(missing))
    return products


@cache  # as the next, since every order needs it
def _goods() -> Select[Product]:
    """Always in the order of the ids, so that two orders for the same goods cannot deadlock."""
    wanted = Product.id.in_(bindparam("ids", expanding=True))
    return _locked(select(Product).where(wanted).order_by(Product.id), Product)


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


@cache
def _sale() -> Select[Any]:
    """An order with lines and trail, and its goods out of the stock; nothing of it where there is no such user.

    One statement, where the unit of work takes four, and half of what a request costs.
    """
    user_id, by_id = bindparam("user_id", type_=BigInteger), bindparam("by_id", type_=BigInteger)
    status = literal(OrderStatus.PLACED, Order.status.type)
    buyer = select(User.id, status).where(User.id == user_id)
    order = insert(Order).from_select(["user_id", "status"], buyer).returning(Order.id, Order.created_at).cte("placed")
    goods = (
        func.unnest(*(bindparam(name, type_=ARRAY(BigInteger)) for name in ("product_ids", "quantities", "prices")))
        .table_valued("product_id", "quantity", "price")
        .render_derived("goods")
    )
    sold = select(order.c.id, goods).join_from(order, goods, true()).cte("sold")
    lines = insert(OrderLine).from_select(["order_id", "product_id", "quantity", "unit_price_cents"], select(sold))
    event = insert(OrderEvent).from_select(["order_id", "status", "by_id"], select(order.c.id, status, by_id))
    taken = update(Product).where(Product.id == sold.c.product_id).values(stock=Product.stock - sold.c.quantity)
    return (
        select(order.c.id, order.c.created_at, User.name)
        .join_from(order, User, User.id == user_id)
        .add_cte(lines.cte("lines"), event.cte("event"), taken.cte("taken"))
    )
