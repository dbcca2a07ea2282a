"""Who may call which route of the API, and whose things they see."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import orders, tokens, users
from app.api import operation
from app.api.operation import Operation
from app.models import Role, User
from tests import service
from tests.app.api.conftest import Shop
from tests.app.api.contract import HeldClient

NEW_USER = {"email": "new@example.com", "name": "New", "password": "correct horse"}
SIGN_IN = {"email": "nobody@example.com", "password": "correct horse"}
PRODUCT = {"sku": "NEW-01", "name": "New", "price_cents": 1, "stock": 1}
CHANGE = {"name": "New", "price_cents": 1, "stock": 1}
LINES = [{"product_id": 1, "quantity": 1}]

NOBODY, OWNER, ANOTHER, STAFF = "nobody", "the owner", "another customer", "the staff"

EXPECTED: dict[str, tuple[Mapping[str, object] | None, dict[str, int]]] = {
    "POST /api/users": (NEW_USER, {NOBODY: 201, OWNER: 201, ANOTHER: 201, STAFF: 201}),
    "GET /api/users/<user>": (None, {NOBODY: 401, OWNER: 200, ANOTHER: 404, STAFF: 200}),
    "POST /api/tokens": (SIGN_IN, {NOBODY: 401, OWNER: 401, ANOTHER: 401, STAFF: 401}),
    "GET /api/tokens": (None, {NOBODY: 401, OWNER: 200, ANOTHER: 200, STAFF: 200}),
    "DELETE /api/tokens/<token>": (None, {NOBODY: 401, OWNER: 204, ANOTHER: 404, STAFF: 404}),
    "POST /api/products": (PRODUCT, {NOBODY: 401, OWNER: 403, ANOTHER: 403, STAFF: 201}),
    "GET /api/products": (None, {NOBODY: 200, OWNER: 200, ANOTHER: 200, STAFF: 200}),
    "GET /api/products/<product>": (None, {NOBODY: 200, OWNER: 200, ANOTHER: 200, STAFF: 200}),
    "PUT /api/products/<product>": (CHANGE, {NOBODY: 401, OWNER: 403, ANOTHER: 403, STAFF: 428}),
    "POST /api/orders": ({"lines": LINES}, {NOBODY: 401, OWNER: 404, ANOTHER: 404, STAFF: 404}),
    "GET /api/orders": (None, {NOBODY: 401, OWNER: 200, ANOTHER: 200, STAFF: 200}),
    "GET /api/orders/<order>": (None, {NOBODY: 401, OWNER: 200, ANOTHER: 404, STAFF: 200}),
    "GET /api/orders/<order>/events": (None, {NOBODY: 401, OWNER: 200, ANOTHER: 404, STAFF: 200}),
    "PATCH /api/orders/<order>": ({"status": "cancelled"}, {NOBODY: 401, OWNER: 200, ANOTHER: 404, STAFF: 200}),
}
"""What each gets of a route, asked with this body; `<order>` is the owner's. A new order is of a product
that there is not."""


def every_route(app: Flask) -> dict[str, Operation | None]:
    """Return what each route promises: its `Operation`, if it has one."""
    return {
        f"{method} {rule.rule.replace('<id:', '<').replace('_id>', '>')}": operation.of(
            app.view_functions[rule.endpoint]
        )
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_a_route_for_customers_says_here_whose_things_it_gives(app: Flask) -> None:
    """`allowed` does not say it, so it is tried; the other routes need no entry in EXPECTED."""
    routes = every_route(app)

    assert set(EXPECTED) <= set(routes)
    allowed = {name for name, promised in routes.items() if promised and Role.CUSTOMER in promised.allowed}
    assert allowed <= set(EXPECTED)


@pytest.mark.parametrize(("who", "role"), [(NOBODY, None), (ANOTHER, Role.CUSTOMER)])
def test_a_route_refuses_everybody_whom_it_does_not_name(
    app: Flask, anybody: HeldClient, everybody: dict[str, dict[str, str]], who: str, role: Role | None
) -> None:
    refused = {}
    for name, promised in every_route(app).items():
        if promised is None or (promised.allowed and role not in promised.allowed):
            method, _, address = name.partition(" ")
            answer = anybody.open(re.sub("<.*?>", "1", address), method=method, json={}, headers=everybody[who])
            refused[name] = answer.status_code

    assert refused
    assert set(refused.values()) == {401 if who == NOBODY else 403}, refused


@pytest.mark.parametrize("who", [NOBODY, OWNER, ANOTHER, STAFF])
@pytest.mark.parametrize("route", EXPECTED)
def test_a_route_gives_each_what_is_theirs(
    anybody: HeldClient, everybody: dict[str, dict[str, str]], things: dict[str, int], route: str, who: str
) -> None:
    method, _, address = route.partition(" ")
    for name, number in things.items():
        address = address.replace(f"<{name}>", str(number))
    body, expected = EXPECTED[route]

    answer = anybody.open(address, method=method, json=body, headers=everybody[who])

    assert answer.status_code == expected[who]


def test_a_customer_lists_only_their_own_orders(
    anybody: HeldClient, everybody: dict[str, dict[str, str]], things: dict[str, int]
) -> None:
    def listed(who: str, query: str = "") -> Any:
        answer = anybody.get(f"/api/orders{query}", headers=everybody[who])
        return [order["id"] for order in answer.get_json()["orders"]] if answer.status_code == 200 else answer.status

    owner = f"?user_id={things['user']}"
    assert listed(OWNER) == listed(OWNER, owner) == listed(STAFF) == listed(STAFF, owner) == [things["order"]]
    assert listed(ANOTHER) == []
    assert listed(ANOTHER, owner) == "403 FORBIDDEN"


def test_a_customer_orders_for_nobody_else(
    anybody: HeldClient, everybody: dict[str, dict[str, str]], things: dict[str, int]
) -> None:
    order = {"user_id": things["user"], "lines": [{"product_id": things["product"], "quantity": 1}]}

    assert anybody.post("/api/orders", json=order, headers=everybody[ANOTHER]).status_code == 403
    assert anybody.post("/api/orders", json=order, headers=everybody[OWNER]).status_code == 201
    for_them = anybody.post("/api/orders", json=order, headers=everybody[STAFF])
    assert for_them.get_json()["user"]["id"] == things["user"]
    trail = anybody.get(f"{for_them.headers['Location']}/events", headers=everybody[OWNER]).get_json()["events"]
    assert [(event["status"], event["by"]["name"]) for event in trail] == [("placed", "Clerk")]


@pytest.mark.parametrize("status", ["paid", "shipped"])
def test_a_customer_says_of_no_order_that_it_is_paid_or_shipped(
    anybody: HeldClient, everybody: dict[str, dict[str, str]], things: dict[str, int], status: str
) -> None:
    address = f"/api/orders/{things['order']}"

    assert anybody.patch(address, json={"status": status}, headers=everybody[OWNER]).status_code == 403


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer shop_x", "Basic YWRhOng=", "bearer\tx", "Bearer \xff"]
)
def test_what_is_no_token_is_told_that_it_takes_one(anybody: HeldClient, session: Session, given: str) -> None:
    answer = anybody.get("/api/orders", headers={"Authorization": given})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("form", ["bearer {}", "BEARER {}", "Bearer   {}", " Bearer {} "])
def test_the_scheme_of_a_token_is_taken_in_any_case_and_with_more_spaces(
    anybody: HeldClient, shop: Shop, form: str
) -> None:
    token = shop.token["Authorization"].removeprefix("Bearer ")

    assert anybody.get("/api/orders", headers={"Authorization": form.format(token)}).status_code == 200


def test_a_token_ends_when_it_is_over(anybody: HeldClient, session: Session, shop: Shop) -> None:
    ada = session.get_one(User, shop.ada)
    _, shown = tokens.issue(session, ada, "over", timedelta(seconds=-1))
    session.commit()

    assert anybody.get("/api/orders", headers={"Authorization": f"Bearer {shown}"}).status_code == 401


@pytest.fixture
def everybody(session: Session, shop: Shop) -> dict[str, dict[str, str]]:
    """The header of each."""
    another = service.token(session, users.register(session, "bruno@example.com", "Bruno"))
    everybody = {NOBODY: {}, OWNER: shop.token, ANOTHER: another, STAFF: service.clerk(session)}
    session.commit()
    return everybody


@pytest.fixture
def things(session: Session, shop: Shop) -> dict[str, int]:
    order = orders.place(session, shop.ada, {shop.mug: 1})
    token, _ = tokens.issue(session, session.get_one(User, shop.ada), "to be revoked", timedelta(hours=1))
    session.commit()
    return {"user": shop.ada, "product": shop.mug, "order": order.id, "token": token.id}
