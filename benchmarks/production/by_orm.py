"""wsgi.py, but that orders are read as tutorials do it: entities of the ORM, in a transaction, by Flask's own JSON."""

from functools import wraps

from flask import request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.api.orders import _shown
from app.api.pages import following
from app.api.payloads import Page
from app.database import db
from app.models import Order, OrderLine
from wsgi import app


def newest() -> ResponseReturnValue:
    asked = Page.of(request)
    complete = joinedload(Order.user, innerjoin=True), selectinload(Order.lines).joinedload(OrderLine.product)
    newest_first = select(Order).order_by(Order.created_at.desc(), Order.id.desc())
    found = db.session.scalars(newest_first.options(*complete).limit(asked.limit))
    orders = found.all()
    return {"orders": [_shown(order) for order in orders], "next": following(orders, asked.limit)}


app.view_functions["api.orders.index"] = wraps(app.view_functions["api.orders.index"])(newest)  # with who may call it
app.json = DefaultJSONProvider(app)
