"""What is kept here."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cursors import Place
from app.errors import UnknownItem
from app.models import Item


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


def newest(session: Session, limit: int, after: Place | None = None) -> Sequence[Item]:
    """The newest first; those that come after that place in the list, where it is given."""
    statement = select(Item).order_by(Item.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(Item.id < after.id)
    return session.scalars(statement).all()
