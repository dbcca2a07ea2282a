"""The app's own queries, by the name of what issues them: every page that can be got, and the services that write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app import orders
from app.models import Order, OrderStatus, Product, User

WITHOUT_DATA = ("health.", "static")  # endpoints that ask the same whatever is in the database


class Failed(Exception):
    """A page that answers with an error."""


@dataclass(frozen=True)
class Call:
    name: str
    issue: Callable[[Session], object]
    """Issues its queries; those of a page by a request to it, in a session of the app's own."""


def every(app: Flask, session: Session) -> Iterator[Call]:
    """With arguments that this database has rows for; a call that needs one that it has not is left out."""
    yield from _pages(app, session)
    yield from _writes(session)


def _pages(app: Flask, session: Session) -> Iterator[Call]:
    client, address = app.test_client(), app.url_map.bind("localhost")
    middle = {table.__tablename__: _middle(session, table) for table in (User, Product, Order)}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        arguments = {name: middle.get(f"{name.removesuffix('_id')}s") for name in rule.arguments}
        if _is_asked(rule) and None not in arguments.values():
            path = address.build(rule.endpoint, arguments)
            yield _got(client, f"GET {rule.rule}", path)
            before = middle.get(path.rpartition("/")[2])
            if before:  # a list, from its middle on
                yield _got(client, f"GET {rule.rule}?before=…", f"{path}?before={before}")


def _is_asked(rule: Rule) -> bool:
    return (
        "GET" in (rule.methods or ())
        and not rule.endpoint.startswith(WITHOUT_DATA)
        and "filename" not in rule.arguments
    )


def _got(client: FlaskClient, name: str, path: str) -> Call:
    def get(_: Session) -> None:
        answer = client.get(path)
        if answer.status_code >= 400:
            raise Failed(f"GET {path} answers {answer.status}")

    return Call(name, get)


def _writes(session: Session) -> Iterator[Call]:
    buyer = _middle(session, User)
    goods = session.scalars(select(Product.id).where(Product.stock > 0).order_by(Product.id).limit(3)).all()
    if buyer and goods:
        yield Call("orders.place", lambda session: orders.place(session, buyer, dict.fromkeys(goods, 1)))
    placed = session.scalar(select(func.max(Order.id)).where(Order.status == OrderStatus.PLACED))
    if placed:
        yield Call("orders.pay", lambda session: orders.pay(session, placed))
        yield Call("orders.cancel", lambda session: orders.cancel(session, placed))


def _middle(session: Session, table: type[User | Product | Order]) -> int | None:
    return session.scalar(select(table.id).where(table.id >= select(func.max(table.id) / 2).scalar_subquery()).limit(1))
