"""Calls that `inv scenario.explain` measures: with what the routes are requested, and the services that write."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TypeVar

from flask import Flask, g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import tokens
from app.accounts.backoffice.auth import Clerk
from app.accounts.models import Role, User
from app.accounts.tokens import Caller
from app.shop import orders
from app.shop.models import Order, OrderStatus, Product
from groundwork.scenarios.explain.calls import Call

Entity = TypeVar("Entity", User, Product, Order)

RECENT = timedelta(days=90)


def sign_in(app: Flask) -> None:
    app.before_request_funcs |= {"api": [_become_staff], "backoffice": [_become_staff]}


def route_arguments(session: Session) -> dict[str, int]:
    user, product, order = _middle(session, User), _middle(session, Product), _middle(session, Order)
    entities = {"user_id": user, "product_id": product, "order_id": order}
    return {name: entity.id for name, entity in entities.items() if entity}


def query_strings(session: Session, path: str) -> Iterator[dict[str, object]]:
    """Yield queries for the API's lists: the page after the entity in the middle, and filters that match it."""
    if path == "/api/products" and (product := _middle(session, Product)):
        yield {"cursor": product.page_key.cursor}
    if path == "/api/orders" and (order := _middle(session, Order)):
        yield {"cursor": order.page_key.cursor}
        equal: dict[str, object] = {"status": order.status, "user_id": order.user_id}
        period = {"since": (order.created_at - RECENT).isoformat(), "until": order.created_at.isoformat()}
        for name, value in (equal | period).items():
            yield {name: value}
        yield equal
        yield equal | period | {"cursor": order.page_key.cursor}


def services(session: Session) -> Iterator[Call]:
    yield Call("tokens.caller", lambda session: tokens.caller(session, f"{tokens.PREFIX}unknown"))
    buyer = session.scalar(select(User.id).order_by(User.id).limit(1))
    goods = session.scalars(select(Product.id).where(Product.stock > 0).order_by(Product.id).limit(3)).all()
    if buyer and goods:
        yield Call("orders.place", lambda session: orders.place(session, buyer, dict.fromkeys(goods, 1)))
    placed = session.scalar(select(func.max(Order.id)).where(Order.status == OrderStatus.PLACED))
    if placed:
        yield Call("orders.pay", lambda session: orders.pay(session, placed))
        yield Call("orders.cancel", lambda session: orders.cancel(session, placed))


def _become_staff() -> None:
    """Sign in as staff without a token or cookie, since the database may have none. services() measures tokens."""
    g.caller, g.clerk = Caller(1, Role.STAFF), Clerk(1, "Clerk")


def _middle(session: Session, table: type[Entity]) -> Entity | None:
    """Return the row in the middle of the ids, since the first and the last could be special cases."""
    middle = select(func.max(table.id) / 2).scalar_subquery()
    return session.scalar(select(table).where(table.id >= middle).order_by(table.id).limit(1))
