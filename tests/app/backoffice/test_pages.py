"""Common properties of all pages."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.factory import LARGEST_BODY
from tests.app.backoffice.conftest import Desk

PAGES = ["/sign-in", "/orders", "/orders?q=%00", "/products", "/nosuch", "/orders/99999999"]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_may_load_what_is_here_and_run_nothing(desk: Desk, address: str) -> None:
    answer = desk.get(address)

    assert answer.headers.getlist("Content-Security-Policy") == [
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ]
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", answer.text)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_kept_by_nobody(desk: Desk, address: str) -> None:
    assert desk.get(address).headers["Cache-Control"] == "no-store"


def test_a_style_sheet_may_be_kept(desk: Desk) -> None:
    with desk.get("/desk/desk.css") as answer:
        assert "no-store" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize("address", PAGES)
def test_everything_a_page_refers_to_is_there(desk: Desk, address: str) -> None:
    referred = set(re.findall(r'(?:href|src)="(/[^"]*)"', desk.get(address).text))

    assert len(referred) >= 3
    for each in referred:
        with desk.get(each.replace("&amp;", "&"), follow_redirects=True) as answer:
            assert answer.status_code == 200, each


@pytest.mark.parametrize("address", PAGES)
def test_every_element_is_closed(desk: Desk, address: str) -> None:
    elements = Elements()
    elements.feed(desk.get(address).text)

    assert elements.open == []


@pytest.mark.parametrize(
    ("method", "address", "status", "words"),
    [
        ("GET", "/nosuch", 404, "There is nothing here"),
        ("PUT", "/orders", 405, "This cannot be done here"),
        ("POST", "/sign-in", 400, "This was not understood"),
    ],
)
def test_a_person_is_told_what_to_do(desk: Desk, method: str, address: str, status: int, words: str) -> None:
    answer = desk.open(address, method=method)

    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert words in answer.text
    assert f"Error {status}, request {answer.headers['X-Request-ID']}" in answer.text


def test_a_person_who_sends_too_much_is_told_so(desk: Desk) -> None:
    answer = desk.post("/sign-in", data={"email": "x" * LARGEST_BODY})

    assert answer.status_code == 413
    assert "This was too much at once" in answer.text


def test_a_person_is_told_that_it_is_not_their_fault(desk: Desk, broken_shop: None) -> None:
    answer = desk.get("/products")

    assert answer.status_code == 500
    assert "Something is broken" in answer.text
    assert "lost_products" not in answer.text
    assert "UndefinedTable" not in answer.text


def test_who_has_no_data_is_told_how_to_get_some(desk: Desk, app: Flask, session: Session) -> None:
    session.execute(text("DELETE FROM products"))
    session.commit()

    in_production = desk.get("/orders").text + desk.get("/products").text
    app.config["DEBUG"] = True
    try:
        in_development = [desk.get("/orders").text, desk.get("/products").text]
        sign_in = desk.get("/sign-in").text
    finally:
        app.config["DEBUG"] = False

    assert "Nothing was sold yet" in in_production
    assert "inv" not in in_production.replace("invalid", "")
    assert all("./inv scenario.serve --name starter" in page for page in in_development)
    assert "register-staff" in sign_in


class Elements(HTMLParser):
    VOID = ("meta", "link", "img", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  as the parser calls it
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def broken_shop(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rename the table of products until the end of the test."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    session.execute(text("ALTER TABLE products RENAME TO lost_products"))
    session.commit()
