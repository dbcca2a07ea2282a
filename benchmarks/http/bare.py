"""The least that answers the same: bare Flask routes, Core and orjson. Nobody signs in, nothing is checked or logged.

An order is the transaction that one writes by hand: it claims the key, locks the goods, checks the stock and takes from
it, and keeps the answer.
"""

import hashlib
import os
from datetime import datetime
from typing import Any

import orjson
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import bindparam, create_engine, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_new

from app.config import load
from app.cursors import Place
from app.models import IdempotencyKey, Order, OrderEvent, OrderLine, OrderStatus, Product, User
from app.sales import _page

CLAIM = insert_new(IdempotencyKey).on_conflict_do_nothing().returning(IdempotencyKey.key)
BUYER = select(User.name).where(User.id == bindparam("user_id"))
GOODS = (
    select(Product.id, Product.sku, Product.name, Product.price_cents, Product.stock)
    .where(Product.id.in_(bindparam("ids", expanding=True)))
    .order_by(Product.id)
    .with_for_update()
)
TAKE = update(Product).where(Product.id == bindparam("of")).values(stock=Product.stock - bindparam("pieces"))
PLACE = insert(Order).returning(Order.id, Order.created_at)
THIS = (IdempotencyKey.user_id == bindparam("whose"), IdempotencyKey.key == bindparam("this"))

app = Flask(__name__)
engine = create_engine(load(os.environ["FLASK_CONFIG"]).database_url)
reading = engine.execution_options(isolation_level="AUTOCOMMIT")


@app.get("/api/orders")
def index() -> ResponseReturnValue:
    limit = int(request.args["limit"])
    with reading.connect() as connection:
        rows = connection.execute(_page(frozenset(), limit)).all()
    orders: dict[int, dict[str, Any]] = {}
    for id_, status, created_at, user_id, user_name, product_id, sku, name, quantity, price in rows:
        order = orders.get(id_) or orders.setdefault(id_, _order(id_, created_at, status, user_id, user_name))
        _add(order, product_id, sku, name, quantity, price)
    cursor = Place(rows[-1].created_at, rows[-1].id).cursor
    return _answer({"orders": list(orders.values()), "next": f"/api/orders?limit={limit}&cursor={cursor}"})


@app.post("/api/orders")
def post() -> ResponseReturnValue:
    asked = orjson.loads(request.get_data())
    user_id, key = asked["user_id"], request.headers["Idempotency-Key"]
    claim = {"user_id": user_id, "key": key, "fingerprint": hashlib.sha256(request.get_data()).digest()}
    quantities = {line["product_id"]: line["quantity"] for line in asked["lines"]}
    with engine.begin() as connection:
        user_name = connection.scalar(BUYER, {"user_id": user_id})
        if connection.scalar(CLAIM, claim) is None:
            body = connection.scalar(select(IdempotencyKey.body).where(*THIS), {"whose": user_id, "this": key})
            return Response(body, 201, mimetype="application/json")
        goods = connection.execute(GOODS, {"ids": list(quantities)}).all()
        if any(each.stock < quantities[each.id] for each in goods):
            connection.rollback()
            return {"title": "Out of stock"}, 409
        connection.execute(TAKE, [{"of": each.id, "pieces": quantities[each.id]} for each in goods])
        placed = connection.execute(PLACE, {"user_id": user_id, "status": OrderStatus.PLACED}).one()
        order = _order(placed.id, placed.created_at, OrderStatus.PLACED, user_id, user_name)
        lines = []
        for each in goods:
            quantity, price = quantities[each.id], each.price_cents
            _add(order, each.id, each.sku, each.name, quantity, price)
            sold = {"order_id": placed.id, "product_id": each.id, "quantity": quantity, "unit_price_cents": price}
            lines.append(sold)
        connection.execute(insert(OrderLine), lines)
        connection.execute(insert(OrderEvent), {"order_id": placed.id, "status": OrderStatus.PLACED, "by_id": user_id})
        answer = _answer(order, 201, {"Location": f"/api/orders/{placed.id}"})
        kept = {"status": 201, "location": answer.location, "body": answer.get_data(as_text=True)}
        connection.execute(update(IdempotencyKey).where(*THIS), {"whose": user_id, "this": key, **kept})
    return answer


def _order(id_: int, created_at: datetime, status: OrderStatus, user_id: int, user_name: str | None) -> dict[str, Any]:
    user = {"id": user_id, "name": user_name}
    return {"id": id_, "user": user, "status": status, "lines": [], "total_cents": 0, "created_at": created_at}


def _add(order: dict[str, Any], product_id: int, sku: str, name: str, quantity: int, price: int) -> None:
    product = {"id": product_id, "sku": sku, "name": name}
    order["lines"].append({"product": product, "quantity": quantity, "unit_price_cents": price})
    order["total_cents"] += quantity * price


def _answer(document: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, mimetype="application/json")
