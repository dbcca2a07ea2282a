"""Endpoints under /api/orders."""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import users
from app.accounts.api.auth import SIGNED_IN, acting_for, caller, only_theirs
from app.accounts.errors import NotAllowed, UnknownUser
from app.shop import orders
from app.shop.api import responses
from app.shop.api.requests import NewOrder, OrderChange, Orders
from app.shop.errors import InvalidTransition, OutOfStock, StockFull, UnknownOrder, UnknownProduct
from app.shop.models import Order, OrderEvent, OrderLine, OrderStatus
from app.shop.order_list import OrderFilter, list_orders
from groundwork.flask.database import db, readonly_session
from groundwork.flask.errors import IdempotencyKeyReused
from groundwork.flask.http import idempotency
from groundwork.flask.http.idempotency import StoredResponse, run_once
from groundwork.flask.http.openapi.operation import Operation
from groundwork.flask.http.pagination import next_page

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.post("")
@Operation(
    "placeOrder",
    allowed=SIGNED_IN,
    body=NewOrder,
    accepts=[idempotency.HEADER],
    gives={HTTPStatus.CREATED: responses.Order},
    refusals=[NotAllowed, UnknownUser, UnknownProduct, OutOfStock, IdempotencyKeyReused],
)
def post() -> ResponseReturnValue:
    """Place an order; the staff may for a customer.

    The goods leave the stock at once, at the prices of this moment. Lines for the same product are added up.
    """
    new, key = NewOrder.of(request), idempotency.key(request)
    session, buyer = db.session(), acting_for(new.user_id)

    def created() -> StoredResponse:
        order = orders.place(session, buyer, new.quantities, by=caller().id)
        return StoredResponse(201, url_for(".get", order_id=order.id), jsonify(_shown(order)).get_data(as_text=True))

    users.require(session, buyer)
    answer = run_once(session, buyer, key, idempotency.fingerprint(request, new), created) if key else created()
    session.commit()
    return Response(answer.body, answer.status, {"Location": answer.location}, content_type="application/json")


@blueprint.get("")
@Operation(
    "listOrders", allowed=SIGNED_IN, query=Orders, gives={HTTPStatus.OK: responses.OrderPage}, refusals=[NotAllowed]
)
def index() -> ResponseReturnValue:
    """List orders, the newest first; to customers, their own."""
    asked = Orders.of(request)
    whose = asked.user_id if caller().is_staff else acting_for(asked.user_id)
    wanted = OrderFilter(whose, asked.status, asked.since, asked.until, asked.after)
    found = list_orders(readonly_session(), asked.limit, wanted)
    return responses.OrderPage(orders=[_shown(order) for order in found], next=next_page(found, asked.limit))


@blueprint.get("/<id:order_id>")
@Operation("getOrder", allowed=SIGNED_IN, gives={HTTPStatus.OK: responses.Order}, refusals=[UnknownOrder])
def get(order_id: int) -> ResponseReturnValue:
    """Show an order; to customers, one of theirs."""
    return _shown(orders.find(readonly_session(), order_id, owner_id=only_theirs()))


@blueprint.patch("/<id:order_id>")
@Operation(
    "changeOrder",
    allowed=SIGNED_IN,
    body=OrderChange,
    gives={HTTPStatus.OK: responses.Order},
    refusals=[NotAllowed, UnknownOrder, InvalidTransition, StockFull],
)
def patch(order_id: int) -> ResponseReturnValue:
    """Pay, ship or cancel an order; customers may cancel one of theirs.

    What is cancelled goes back into the stock.
    """
    asked = OrderChange.of(request)
    if not caller().is_staff and asked.status is not OrderStatus.CANCELLED:
        raise NotAllowed
    order = orders.advance(db.session(), order_id, asked.status, by=caller().id, owner_id=only_theirs())
    changed = _shown(order)
    db.session.commit()
    return changed


@blueprint.get("/<id:order_id>/events")
@Operation("listOrderEvents", allowed=SIGNED_IN, gives={HTTPStatus.OK: responses.Trail}, refusals=[UnknownOrder])
def events(order_id: int) -> ResponseReturnValue:
    """List what became of an order, and by whom."""
    found = orders.list_events(readonly_session(), orders.find(readonly_session(), order_id, owner_id=only_theirs()).id)
    return responses.Trail(events=[_shown_event(event) for event in found])


def _shown(order: Order) -> responses.Order:
    return {
        "id": order.id,
        "user": {"id": order.user.id, "name": order.user.name},
        "status": order.status,
        "lines": [_shown_line(line) for line in order.lines],
        "total_cents": order.total_cents,
        "created_at": order.created_at.isoformat(),
    }


def _shown_event(event: OrderEvent) -> responses.Event:
    return {
        "status": event.status,
        "by": {"id": event.by.id, "name": event.by.name} if event.by else None,
        "created_at": event.created_at.isoformat(),
    }


def _shown_line(line: OrderLine) -> responses.Line:
    return {
        "product": {"id": line.product.id, "sku": line.product.sku, "name": line.product.name},
        "quantity": line.quantity,
        "unit_price_cents": line.unit_price_cents,
    }
