"""Items: a list of names."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.items.errors import UnknownItem
from app.items.models import Item
from groundwork.flask.http.pagination import PageKey


def add(session: Session, name: str) -> Item:
    item = Item(name=name)
    session.add(item)
    session.flush()
    return item


def find(session: Session, item_id: int) -> Item:
    """Raises UnknownItem."""
    item = session.get(Item, item_id)
    if item is None:
        raise UnknownItem(item_id)
    return item


def list_items(session: Session, limit: int, after: PageKey | None = None) -> Sequence[Item]:
    """The newest first; those that come after that place in the list, where it is given."""
    statement = select(Item).order_by(Item.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(Item.id < after.id)
    return session.scalars(statement).all()
