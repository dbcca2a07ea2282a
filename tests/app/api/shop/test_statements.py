"""Number of statements per request, which must not grow with the number of rows."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.accounts import tokens, users
from app.shop import orders, products
from tests import statements

AT_MOST = {
    "/api/users/<id:user_id>": 2,
    "/api/tokens": 2,
    "/api/products": 1,
    "/api/products/<id:product_id>": 1,
    "/api/orders": 3,
    "/api/orders/<id:order_id>": 3,
    "/api/orders/<id:order_id>/events": 4,
}
"""Statements by route, including one for the token if it needs one. Other routes must not need more for more rows."""


def test_what_is_shown_takes_as_many_statements_whatever_the_size_of_the_shop(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    small = taken(app, client, session, sold(session, "ada", count=1))
    large = taken(app, client, session, sold(session, "bruno", count=12))

    assert large == small
    assert small.keys() >= AT_MOST.keys()
    assert all(0 < small[route] <= most for route, most in AT_MOST.items()), small


@pytest.mark.parametrize("query", ["limit=3", "status=shipped", "user_id={user_id}", "since=2026-01-01T00:00:00Z"])
def test_so_do_lists_of_what_is_wanted(client: FlaskClient, session: Session, query: str) -> None:
    things = sold(session, "ada", count=6)

    with statements.issued(session) as issued:
        answer = client.get(f"/api/orders?{query.format_map(things)}").get_json()

    assert len(answer["orders"]) >= 3
    assert len(issued) <= AT_MOST["/api/orders"]


def taken(app: Flask, client: FlaskClient, session: Session, things: dict[str, int]) -> dict[str, int]:
    addresses = app.url_map.bind("")
    routes = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    counted = {}
    for rule in routes:
        if "GET" in (rule.methods or ()) and rule.arguments <= things.keys():
            address = addresses.build(rule.endpoint, {name: things[name] for name in rule.arguments})
            with statements.issued(session) as issued:
                assert client.get(address).status_code == 200
            counted[rule.rule] = len(issued)
    return counted


def sold(session: Session, name: str, count: int) -> dict[str, int]:
    """Add `count` products, as many shipped orders of all products, and tokens of the clerk. Return the last IDs."""
    clerk = users.find_by_email(session, "clerk@example.com")
    assert clerk
    buyer = users.register(session, f"{name}@example.com", name)
    goods = [products.add(session, f"{name}-{number}", "Thing", 100, count) for number in range(count)]
    for _ in range(count):
        order = orders.place(session, buyer.id, {each.id: 1 for each in goods})
        orders.pay(session, order.id)
        orders.ship(session, order.id, by=clerk.id)
        tokens.issue(session, clerk, "another", timedelta(hours=1))
    session.commit()
    return {"user_id": buyer.id, "product_id": goods[-1].id, "order_id": order.id}
