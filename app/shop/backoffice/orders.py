"""Pages under /orders."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from app.accounts import users
from app.accounts.backoffice.auth import clerk
from app.shop import order_list, orders
from app.shop.backoffice.filters import money
from app.shop.backoffice.forms import Search, StatusForm
from app.shop.errors import InvalidTransition, StockFull
from app.shop.models import Order, OrderStatus
from app.shop.order_list import OrderFilter
from groundwork.flask.database import db, readonly_session
from groundwork.flask.http.forms import InvalidForm

ON_A_PAGE = 20
DONE = {
    OrderStatus.PAID: "Order {} is paid.",
    OrderStatus.SHIPPED: "Order {} is shipped.",
    OrderStatus.CANCELLED: "Order {} is cancelled, and its goods are back in stock.",
}

blueprint = Blueprint("orders", __name__, template_folder="templates", url_prefix="/orders")
blueprint.add_app_template_filter(money)


@blueprint.get("")
def index() -> ResponseReturnValue:
    try:
        asked = Search.of(request.args)
    except InvalidForm as unfit:
        return _page(Search(), errors=unfit.errors), HTTPStatus.UNPROCESSABLE_ENTITY
    if asked.number is not None:
        return redirect(url_for(".get", order_id=asked.number))
    return _page(asked, _found(readonly_session(), asked))


@blueprint.get("/<id:order_id>")
def get(order_id: int) -> ResponseReturnValue:
    order = orders.find(readonly_session(), order_id)
    return render_template(
        "order.html",
        order=order,
        events=orders.list_events(readonly_session(), order_id),
        follows=orders.TRANSITIONS[order.status],
    )


@blueprint.post("/<id:order_id>")
def post(order_id: int) -> ResponseReturnValue:
    try:
        status = StatusForm.of(request.form).status
    except InvalidForm:
        raise BadRequest from None
    try:
        orders.advance(db.session(), order_id, status, by=clerk().id)
        db.session.commit()
        flash(DONE[status].format(order_id))
    except StockFull as refusal:
        flash(f"{refusal} Nothing was changed.", "refusal")
    except InvalidTransition as refusal:
        flash(f"Somebody was faster: order {order_id} is {refusal.current} already. Nothing was changed.", "refusal")
    return redirect(url_for(".get", order_id=order_id), HTTPStatus.SEE_OTHER)


def _found(session: Session, asked: Search) -> Sequence[Order]:
    """Return one order more than a page holds if there are older ones."""
    buyer = users.find_by_email(session, asked.q) if asked.q else None
    if asked.q and buyer is None:
        return []
    wanted = OrderFilter(buyer.id if buyer else None, asked.status, asked.begin, asked.end, asked.after)
    return order_list.list_orders(session, ON_A_PAGE + 1, wanted)


def _page(asked: Search, found: Sequence[Order] = (), errors: Mapping[str, str] | None = None) -> str:
    shown, more = found[:ON_A_PAGE], found[ON_A_PAGE:]
    narrowed: dict[str, Any] = asked.model_dump(mode="json", exclude_none=True, exclude={"cursor"})
    return render_template(
        "orders.html",
        form=Search,
        errors=errors or {},
        statuses=list(OrderStatus),
        orders=shown,
        newest=url_for(".index", **narrowed) if asked.cursor else None,
        older=url_for(".index", **narrowed, cursor=shown[-1].page_key.cursor) if more else None,
    )
