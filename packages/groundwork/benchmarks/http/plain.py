"""Order list as in a tutorial: ORM entities with lazy loading, Flask's JSON, no authentication."""

import os

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, lazyload

from app.config import load
from app.shop.models import Order, OrderLine

app = Flask(__name__)
engine = create_engine(load(os.environ["FLASK_CONFIG"]).database_url)


@app.get("/api/orders")
def index() -> ResponseReturnValue:
    limit = int(request.args["limit"])
    one_by_one = lazyload(Order.user), lazyload(Order.lines).lazyload(OrderLine.product)
    newest_first = select(Order).options(*one_by_one).order_by(Order.created_at.desc(), Order.id.desc())
    with Session(engine) as session, session.begin():
        orders = session.scalars(newest_first.limit(limit)).all()
        following = f"/api/orders?limit={limit}&cursor={orders[-1].page_key.cursor}"
        return jsonify({"orders": [_shown(order) for order in orders], "next": following})


def _shown(order: Order) -> dict[str, object]:
    return {
        "id": order.id,
        "user": {"id": order.user.id, "name": order.user.name},
        "status": order.status,
        "lines": [
            {
                "product": {"id": line.product.id, "sku": line.product.sku, "name": line.product.name},
                "quantity": line.quantity,
                "unit_price_cents": line.unit_price_cents,
            }
            for line in order.lines
        ],
        "total_cents": order.total_cents,
        "created_at": order.created_at.isoformat(),
    }
