"""The page for people."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from app import orders, products, users
from app.models import Product, User


def test_the_page_shows_products_and_orders(client: FlaskClient, session: Session) -> None:
    mug = products.add(session, "MUG-01", "Stoneware mug", 123450, 12)
    ada = users.register(session, "ada@example.com", "Ada <script>")
    order = orders.place(session, ada.id, {mug.id: 2})
    order.created_at = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
    session.commit()

    page = client.get("/").text

    for shown in ("Stoneware mug", "MUG-01", "€ 1,234.50", "10", "€ 2,469.00", "placed", "01 Mar, 14:05"):
        assert shown in page
    assert "Ada &lt;script&gt;" in page


def test_what_runs_out_is_marked(client: FlaskClient, session: Session) -> None:
    products.add(session, "POT-01", "Teapot", 6400, 1)
    products.add(session, "GRD-01", "Grinder", 8900, 0)
    session.commit()

    page = client.get("/").text

    assert "1 left" in page
    assert "sold out" in page


def test_the_number_of_queries_does_not_grow_with_the_shop(client: FlaskClient, session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")
    sell(session, ada, 1)
    with queries(session) as few:
        client.get("/")

    bruno = users.register(session, "bruno@example.com", "Bruno")
    for number in range(2, 12):
        sell(session, bruno, number)
    with queries(session) as many:
        client.get("/")

    assert 0 < len(few) == len(many)


@pytest.mark.parametrize("pattern", [r"<script", r"<style", r"\sstyle=", r"\son\w+=", r"javascript:"])
def test_the_page_runs_under_a_strict_content_security_policy(client: FlaskClient, pattern: str) -> None:
    assert not re.search(pattern, client.get("/").text)


def test_everything_the_page_refers_to_is_there(client: FlaskClient) -> None:
    addresses = re.findall(r'(?:href|src)="([^"]+)"', client.get("/").text)

    assert len(addresses) >= 3
    for address in addresses:
        with client.get(address) as answer:
            assert answer.status_code == 200


def sell(session: Session, user: User, number: int) -> None:
    product: Product = products.add(session, f"SKU-{number}", f"Thing {number}", 100, 1)
    orders.place(session, user.id, {product.id: 1})
    session.commit()


@contextmanager
def queries(session: Session) -> Iterator[list[str]]:
    """Those on the session's connection, which the service shares."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(session.connection(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(session.connection(), "before_cursor_execute", note)
