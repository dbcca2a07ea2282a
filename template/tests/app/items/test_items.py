"""Service of the items."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.items import items
from app.items.errors import UnknownItem


def test_an_added_item_is_found(session: Session) -> None:
    added = items.add(session, "A first one")

    assert items.find(session, added.id) is added


def test_an_unknown_item_is_named(session: Session) -> None:
    with pytest.raises(UnknownItem, match="There is no item 7"):
        items.find(session, 7)


def test_the_newest_come_first_a_page_at_a_time(session: Session) -> None:
    added = [items.add(session, f"Number {number}") for number in range(5)]

    first = items.list_items(session, limit=2)
    second = items.list_items(session, limit=2, after=first[-1].page_key)
    third = items.list_items(session, limit=2, after=second[-1].page_key)

    assert [*first, *second, *third] == added[::-1]


def test_the_database_refuses_an_item_without_a_name(session: Session) -> None:
    items.add(session, "A first one")

    with pytest.raises(IntegrityError, match="ck_items_has_name"):
        session.execute(text("UPDATE items SET name = ''"))
