"""/api/orders"""

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app import users
from app.api import idempotency
from app.api.pages import page
from app.api.payloads import NewOrder, Page
from app.database import db, reading
from app.idempotency import Answer, once
from app.models import Order, OrderLine
from app.orders import find, place
from app.sales import Line, Sale, newest

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.post("")
def post() -> ResponseReturnValue:
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
def index() -> ResponseReturnValue:
    asked = Page.of(request)
    return page("orders", asked, [_shown(order) for order in newest(reading(), asked.limit, asked.before)])


@blueprint.get("/<id:order_id>")
def get(order_id: int) -> ResponseReturnValue:
    return _shown(find(reading(), order_id))


def _shown(order: Order | Sale) -> dict[str, object]:
    return {
        "id": order.id,
        "user": {"id": order.user.id, "name": order.user.name},
        "status": order.status,
        "lines": [_shown_line(line) for line in order.lines],
        "total_cents": order.total_cents,
        "created_at": order.created_at.isoformat(),
    }


def _shown_line(line: OrderLine | Line) -> dict[str, object]:
    return {
        "product": {"id": line.product.id, "sku": line.product.sku, "name": line.product.name},
        "quantity": line.quantity,
        "unit_price_cents": line.unit_price_cents,
    }
