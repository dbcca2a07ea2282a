"""Calls that `inv scenario.explain` measures: with what the routes are requested, and the services that write."""

from collections.abc import Iterator
from typing import TypeVar

from flask import Flask, g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import tokens
from app.accounts.backoffice.auth import Clerk
from app.accounts.models import Role, User
from app.accounts.tokens import Caller
from app.items import items
from app.items.models import Item
from groundwork.scenarios.explain.calls import Call

Entity = TypeVar("Entity", User, Item)


def sign_in(app: Flask) -> None:
    app.before_request_funcs |= {"api": [_become_staff], "backoffice": [_become_staff]}


def route_arguments(session: Session) -> dict[str, int]:
    entities = {"user_id": _middle(session, User), "item_id": _middle(session, Item)}
    return {name: entity.id for name, entity in entities.items() if entity}


def query_strings(session: Session, path: str) -> Iterator[dict[str, object]]:
    """Yield the query for the page after the item in the middle of the API's list."""
    if path == "/api/items" and (item := _middle(session, Item)):
        yield {"cursor": item.page_key.cursor}


def services(_: Session) -> Iterator[Call]:
    yield Call("tokens.caller", lambda session: tokens.caller(session, f"{tokens.PREFIX}unknown"))
    yield Call("items.add", lambda session: items.add(session, "Another one"))


def _become_staff() -> None:
    """Sign in as staff without a token or cookie, since the database may have none. services() measures tokens."""
    g.caller, g.clerk = Caller(1, Role.STAFF), Clerk(1, "Clerk")


def _middle(session: Session, table: type[Entity]) -> Entity | None:
    """Return the row in the middle of the ids, since the first and the last could be special cases."""
    middle = select(func.max(table.id) / 2).scalar_subquery()
    return session.scalar(select(table).where(table.id >= middle).order_by(table.id).limit(1))
