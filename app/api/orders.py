"""/api/orders"""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app import users
from app.api import answers, idempotency
from app.api.operation import Operation
from app.api.pages import following
from app.api.payloads import NewOrder, Page
from app.database import db, reading
from app.errors import IdempotencyKeyReused, OutOfStock, UnknownOrder, UnknownProduct, UnknownUser
from app.idempotency import Answer, once
from app.models import Order, OrderLine
from app.orders import find, place
from app.sales import Line, Sale, newest

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.post("")
@Operation(
    "placeOrder",
    body=NewOrder,
    accepts=[idempotency.HEADER],
    gives={HTTPStatus.CREATED: answers.Order},
    refusals=[UnknownUser, UnknownProduct, OutOfStock, IdempotencyKeyReused],
)
def post() -> ResponseReturnValue:
    """Place an order.

    The goods leave the stock at once, at the prices of this moment. Lines for the same product are added up.
    """
    new, key = NewOrder.of(request), idempotency.key(request)
    session = db.session()

    def created() -> Answer:
        order = place(session, new.user_id, new.quantities)
        return Answer(201, url_for(".get", order_id=order.id), jsonify(_shown(order)).get_data(as_text=True))

    if key:
        answer = once(session, users.find(session, new.user_id), key, idempotency.fingerprint(request, new), created)
    else:
        answer = created()
    session.commit()
    return Response(answer.body, answer.status, {"Location": answer.location}, content_type="application/json")


@blueprint.get("")
@Operation("listOrders", query=Page, gives={HTTPStatus.OK: answers.OrderPage})
def index() -> ResponseReturnValue:
    """List orders, the newest first."""
    asked = Page.of(request)
    orders = [_shown(order) for order in newest(reading(), asked.limit, asked.before)]
    return answers.OrderPage(orders=orders, next=following(asked, orders))


@blueprint.get("/<id:order_id>")
@Operation("getOrder", gives={HTTPStatus.OK: answers.Order}, refusals=[UnknownOrder])
def get(order_id: int) -> ResponseReturnValue:
    """Show an order."""
    return _shown(find(reading(), order_id))


def _shown(order: Order | Sale) -> answers.Order:
    return {
        "id": order.id,
        "user": {"id": order.user.id, "name": order.user.name},
        "status": order.status,
        "lines": [_shown_line(line) for line in order.lines],
        "total_cents": order.total_cents,
        "created_at": order.created_at.isoformat(),
    }


def _shown_line(line: OrderLine | Line) -> answers.Line:
    return {
        "product": {"id": line.product.id, "sku": line.product.sku, "name": line.product.name},
        "quantity": line.quantity,
        "unit_price_cents": line.unit_price_cents,
    }
