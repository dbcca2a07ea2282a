"""/api/orders"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app import users
from app.api import answers, idempotency
from app.api.callers import acting_for, caller, only_theirs
from app.api.operation import SIGNED_IN, Operation
from app.api.pages import following
from app.api.payloads import NewOrder, OrderChange, Orders
from app.database import db, reading
from app.errors import (
    IdempotencyKeyReused,
    NotAllowed,
    NotPossibleAnyMore,
    OutOfStock,
    StockFull,
    UnknownOrder,
    UnknownProduct,
    UnknownUser,
)
from app.idempotency import Answer, once
from app.models import Order, OrderEvent, OrderLine, OrderStatus
from app.orders import advance, find, place, trail
from app.sales import Line, Sale, Wanted, newest

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.post("")
@Operation(
    "placeOrder",
    allowed=SIGNED_IN,
    body=NewOrder,
    accepts=[idempotency.HEADER],
    gives={HTTPStatus.CREATED: answers.Order},
    refusals=[NotAllowed, UnknownUser, UnknownProduct, OutOfStock, IdempotencyKeyReused],
)
def post() -> ResponseReturnValue:
    """Place an order; the staff may for a customer.

    The goods leave the stock at once, at the prices of this moment. Lines for the same product are added up.
    """
    new, key = NewOrder.of(request), idempotency.key(request)
    session, buyer = db.session(), acting_for(new.user_id)

    def created() -> Answer:
        order = place(session, buyer, new.quantities, by=caller().id)
        return Answer(201, url_for(".get", order_id=order.id), jsonify(_shown(order)).get_data(as_text=True))

    users.require(session, buyer)
    answer = once(session, buyer, key, idempotency.fingerprint(request, new), created) if key else created()
    session.commit()
    return Response(answer.body, answer.status, {"Location": answer.location}, content_type="application/json")


@blueprint.get("")
@Operation(
    "listOrders", allowed=SIGNED_IN, query=Orders, gives={HTTPStatus.OK: answers.OrderPage}, refusals=[NotAllowed]
)
def index() -> ResponseReturnValue:
    """List orders, the newest first; to customers, their own."""
    asked = Orders.of(request)
    whose = asked.user_id if caller().is_staff else acting_for(asked.user_id)
    wanted = Wanted(whose, asked.status, asked.since, asked.until, asked.after)
    orders = newest(reading(), asked.limit, wanted)
    return answers.OrderPage(orders=[_shown(order) for order in orders], next=following(orders, asked.limit))


@blueprint.get("/<id:order_id>")
@Operation("getOrder", allowed=SIGNED_IN, gives={HTTPStatus.OK: answers.Order}, refusals=[UnknownOrder])
def get(order_id: int) -> ResponseReturnValue:
    """Show an order; to customers, one of theirs."""
    return _shown(find(reading(), order_id, of=only_theirs()))


@blueprint.patch("/<id:order_id>")
@Operation(
    "changeOrder",
    allowed=SIGNED_IN,
    body=OrderChange,
    gives={HTTPStatus.OK: answers.Order},
    refusals=[NotAllowed, UnknownOrder, NotPossibleAnyMore, StockFull],
)
def patch(order_id: int) -> ResponseReturnValue:
    """Pay, ship or cancel an order; customers may cancel one of theirs.

    What is cancelled goes back into the stock.
    """
    asked = OrderChange.of(request)
    if not caller().is_staff and asked.status is not OrderStatus.CANCELLED:
        raise NotAllowed
    order = advance(db.session(), order_id, asked.status, by=caller().id, of=only_theirs())
    changed = _shown(order)
    db.session.commit()
    return changed


@blueprint.get("/<id:order_id>/events")
@Operation("listOrderEvents", allowed=SIGNED_IN, gives={HTTPStatus.OK: answers.Trail}, refusals=[UnknownOrder])
def events(order_id: int) -> ResponseReturnValue:
    """List what became of an order, and by whom."""
    found = trail(reading(), find(reading(), order_id, of=only_theirs()).id)
    return answers.Trail(events=[_shown_event(event) for event in found])


def _shown(order: Order | Sale) -> answers.Order:
    return {
        "id": order.id,
        "user": {"id": order.user.id, "name": order.user.name},
        "status": order.status,
        "lines": [_shown_line(line) for line in order.lines],
        "total_cents": order.total_cents,
        "created_at": order.created_at.isoformat(),
    }


def _shown_event(event: OrderEvent) -> answers.Event:
    return {
        "status": event.status,
        "by": {"id": event.by.id, "name": event.by.name} if event.by else None,
        "created_at": event.created_at.isoformat(),
    }


def _shown_line(line: OrderLine | Line) -> answers.Line:
    return {
        "product": {"id": line.product.id, "sku": line.product.sku, "name": line.product.name},
        "quantity": line.quantity,
        "unit_price_cents": line.unit_price_cents,
    }
