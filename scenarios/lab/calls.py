"""The app's own queries, by the name of what issues them: every page that can be got, and the services that write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlencode

from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app import orders, tokens
from app.desk.clerks import Clerk
from app.models import Order, OrderStatus, Product, Role, User
from app.tokens import Caller

Entity = TypeVar("Entity", User, Product, Order)

WITHOUT_DATA = ("health.", "static")  # endpoints that ask the same whatever is in the database

LATELY = timedelta(days=90)


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
    yield from _services(session)


def _pages(app: Flask, session: Session) -> Iterator[Call]:
    app.before_request_funcs |= {"api": [_admit], "desk": [_admit]}
    client, address = app.test_client(), app.url_map.bind("localhost")
    middle = {
        "users": _middle(session, User), "products": _middle(session, Product), "orders": _middle(session, Order)
    }  # fmt: skip
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        arguments = {name: found and found.id for name in rule.arguments for found in [middle.get(_table(name))]}
        if _is_asked(rule) and None not in arguments.values():
            path = address.build(rule.endpoint, arguments)
            yield _got(client, f"GET {rule.rule}", path)
            for query in _queries(middle.get(path.removeprefix("/api/"))):
                yield _got(client, f"GET {rule.rule}?{'=…&'.join(query)}=…", f"{path}?{urlencode(query)}")


def _table(argument: str) -> str:
    return f"{argument.removesuffix('_id')}s"


def _queries(middle: User | Product | Order | None) -> Iterator[dict[str, object]]:
    """Of the API's list that this is in the middle of: what comes after it, and what is like it."""
    if isinstance(middle, Product | Order):
        yield {"cursor": middle.place.cursor}
    if isinstance(middle, Order):
        alike: dict[str, object] = {"status": middle.status, "user_id": middle.user_id}
        moments = {"since": (middle.created_at - LATELY).isoformat(), "until": middle.created_at.isoformat()}
        for name, value in (alike | moments).items():
            yield {name: value}
        yield alike
        yield alike | moments | {"cursor": middle.place.cursor}


def _admit() -> None:
    """As the staff, without a token or a cookie: there may be none, and nothing is written here. Tokens are below."""
    g.caller, g.clerk = Caller(1, Role.STAFF), Clerk(1, "Clerk")


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


def _services(session: Session) -> Iterator[Call]:
    yield Call("tokens.caller", lambda session: tokens.caller(session, f"{tokens.PREFIX}unknown"))
    buyer = session.scalar(select(User.id).order_by(User.id).limit(1))
    goods = session.scalars(select(Product.id).where(Product.stock > 0).order_by(Product.id).limit(3)).all()
    if buyer and goods:
        yield Call("orders.place", lambda session: orders.place(session, buyer, dict.fromkeys(goods, 1)))
    placed = session.scalar(select(func.max(Order.id)).where(Order.status == OrderStatus.PLACED))
    if placed:
        yield Call("orders.pay", lambda session: orders.pay(session, placed))
        yield Call("orders.cancel", lambda session: orders.cancel(session, placed))


def _middle(session: Session, table: type[Entity]) -> Entity | None:
    middle = select(func.max(table.id) / 2).scalar_subquery()
    return session.scalar(select(table).where(table.id >= middle).order_by(table.id).limit(1))
