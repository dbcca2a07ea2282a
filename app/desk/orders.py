"""/orders"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from app import orders, sales, users
from app.database import db, reading
from app.desk.clerks import clerk
from app.desk.forms import Search, Step, Unfit
from app.errors import NotPossibleAnyMore, StockFull
from app.models import OrderStatus
from app.sales import Sale, Wanted

ON_A_PAGE = 20
DONE = {
    OrderStatus.PAID: "Order {} is paid.",
    OrderStatus.SHIPPED: "Order {} is shipped.",
    OrderStatus.CANCELLED: "Order {} is cancelled, and its goods are back in stock.",
}

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.get("")
def index() -> ResponseReturnValue:
    try:
        asked = Search.of(request.args)
    except Unfit as unfit:
        return _page(Search(), errors=unfit.errors), HTTPStatus.UNPROCESSABLE_ENTITY
    if asked.number is not None:
        return redirect(url_for(".get", order_id=asked.number))
    return _page(asked, _found(reading(), asked))


@blueprint.get("/<id:order_id>")
def get(order_id: int) -> ResponseReturnValue:
    order = orders.find(reading(), order_id)
    return render_template(
        "order.html", order=order, trail=orders.trail(reading(), order_id), follows=orders.FOLLOWS[order.status]
    )


@blueprint.post("/<id:order_id>")
def post(order_id: int) -> ResponseReturnValue:
    try:
        status = Step.of(request.form).status
    except Unfit:
        raise BadRequest from None
    try:
        orders.advance(db.session(), order_id, status, by=clerk().id)
        db.session.commit()
        flash(DONE[status].format(order_id))
    except StockFull as refusal:
        flash(f"{refusal} Nothing was changed.", "refusal")
    except NotPossibleAnyMore as refusal:
        flash(f"Somebody was faster: order {order_id} is {refusal.current} already. Nothing was changed.", "refusal")
    return redirect(url_for(".get", order_id=order_id), HTTPStatus.SEE_OTHER)


def _found(session: Session, asked: Search) -> Sequence[Sale]:
    """One more than there is room for, where there are older ones."""
    buyer = users.named(session, asked.q) if asked.q else None
    if asked.q and buyer is None:
        return []
    wanted = Wanted(buyer.id if buyer else None, asked.status, asked.begin, asked.end, asked.after)
    return sales.newest(session, ON_A_PAGE + 1, wanted)


def _page(asked: Search, found: Sequence[Sale] = (), errors: Mapping[str, str] | None = None) -> str:
    shown, more = found[:ON_A_PAGE], found[ON_A_PAGE:]
    narrowed: dict[str, Any] = asked.model_dump(mode="json", exclude_none=True, exclude={"cursor"})
    return render_template(
        "orders.html",
        form=Search,
        errors=errors or {},
        statuses=list(OrderStatus),
        orders=shown,
        newest=url_for(".index", **narrowed) if asked.cursor else None,
        older=url_for(".index", **narrowed, cursor=shown[-1].place.cursor) if more else None,
    )
