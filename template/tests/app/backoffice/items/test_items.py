"""Items at the desk."""

import re

import pytest
from sqlalchemy.orm import Session

from app.items import items
from tests.app.backoffice.conftest import Desk


def test_an_item_is_added_and_that_is_said(desk: Desk) -> None:
    answer = desk.send("/items", page="/items", name=" A <first> one ")

    assert (answer.status_code, answer.location) == (303, "/items")
    page = desk.get("/items").text
    assert "A &lt;first&gt; one is added." in page
    assert page.count("A &lt;first&gt; one") == 2


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b"])
def test_what_is_wrong_is_said_at_its_field(desk: Desk, session: Session, name: str) -> None:
    before = len(items.list_items(session, limit=10))

    answer = desk.send("/items", page="/items", name=name)

    assert answer.status_code == 422
    assert answer.text.count("Please check: ") == 1
    assert len(items.list_items(session, limit=10)) == before


def test_a_long_list_goes_on(desk: Desk, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.items.backoffice.items.ON_A_PAGE", 1)
    items.add(session, "A second one")
    session.commit()

    first = desk.get("/items").text
    older = re.search(r'href="(/items\?cursor=[^"]+)"', first)
    assert older
    second = desk.get(older[1]).text

    assert ("A second one" in first, "A first one" in first) == (True, False)
    assert ("A second one" in second, "A first one" in second) == (False, True)


def test_a_place_that_is_none_is_told_on_a_page(desk: Desk) -> None:
    answer = desk.get("/items?cursor=x")

    assert (answer.status_code, answer.mimetype) == (400, "text/html")
