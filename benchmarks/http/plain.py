"""Orders read as a tutorial writes it: entities of the ORM in a transaction, and Flask's own JSON. Nobody signs in."""

import os

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.config import load
from app.models import Order, OrderLine

app = Flask(__name__)
engine = create_engine(load(os.environ["FLASK_CONFIG"]).database_url)


@app.get("/api/orders")
def index() -> ResponseReturnValue:
    limit = int(request.args["limit"])
    complete = joinedload(Order.user), selectinload(Order.lines).joinedload(OrderLine.product)
    newest_first = select(Order).options(*complete).order_by(Order.created_at.desc(), Order.id.desc())
    with Session(engine) as session, session.begin():
        orders = session.scalars(newest_first.limit(limit)).all()
        following = f"/api/orders?limit={limit}&cursor={orders[-1].place.cursor}"
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
