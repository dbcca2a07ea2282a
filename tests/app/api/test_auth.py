"""Access rules of API routes: permitted callers and visible records."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.accounts import tokens
from app.accounts.models import Role, User
from app.shop import orders
from groundwork.flask.testing import access
from groundwork.flask.testing.contract import HeldClient
from tests.app.api.conftest import ANOTHER, NOBODY, OWNER, STAFF, Shop

NEW_USER = {"email": "new@example.com", "name": "New", "password": "correct horse"}
SIGN_IN = {"email": "nobody@example.com", "password": "correct horse"}
PRODUCT = {"sku": "NEW-01", "name": "New", "price_cents": 1, "stock": 1}
CHANGE = {"name": "New", "price_cents": 1, "stock": 1}
LINES = [{"product_id": 1, "quantity": 1}]

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


def test_a_route_for_customers_says_here_whose_things_it_gives(app: Flask) -> None:
    """`allowed` does not define the visible records, so EXPECTED lists these routes. Others need no entry."""
    routes = access.every_route(app)

    assert set(EXPECTED) <= set(routes)
    allowed = {name for name, promised in routes.items() if promised and Role.CUSTOMER in promised.allowed.roles}
    assert allowed <= set(EXPECTED)


@pytest.mark.parametrize(("who", "role"), [(NOBODY, None), (ANOTHER, Role.CUSTOMER)])
def test_a_route_refuses_everybody_whom_it_does_not_name(
    app: Flask, anybody: HeldClient, everybody: dict[str, dict[str, str]], who: str, role: Role | None
) -> None:
    refused = access.refusals(app, anybody, role, everybody[who])

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


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer token_x", "Basic YWRhOng=", "bearer\tx", "Bearer \xff"]
)
def test_what_is_no_token_is_told_that_it_takes_one(anybody: HeldClient, session: Session, given: str) -> None:
    answer = anybody.get("/api/tokens", headers={"Authorization": given})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("form", ["bearer {}", "BEARER {}", "Bearer   {}", " Bearer {} "])
def test_the_scheme_of_a_token_is_taken_in_any_case_and_with_more_spaces(
    anybody: HeldClient, shop: Shop, form: str
) -> None:
    token = shop.token["Authorization"].removeprefix("Bearer ")

    assert anybody.get("/api/tokens", headers={"Authorization": form.format(token)}).status_code == 200


@pytest.mark.parametrize("form", ["{}", "Basic {}", "Token {}", "Bearer,{}"])
def test_a_token_after_another_scheme_is_none(anybody: HeldClient, shop: Shop, form: str) -> None:
    token = shop.token["Authorization"].removeprefix("Bearer ")

    assert anybody.get("/api/tokens", headers={"Authorization": form.format(token)}).status_code == 401


def test_a_token_ends_when_it_is_over(anybody: HeldClient, session: Session, shop: Shop) -> None:
    ada = session.get_one(User, shop.ada)
    _, shown = tokens.issue(session, ada, "over", timedelta(seconds=-1))
    session.commit()

    assert anybody.get("/api/tokens", headers={"Authorization": f"Bearer {shown}"}).status_code == 401


@pytest.fixture
def things(session: Session, shop: Shop) -> dict[str, int]:
    order = orders.place(session, shop.ada, {shop.mug: 1})
    token, _ = tokens.issue(session, session.get_one(User, shop.ada), "to be revoked", timedelta(hours=1))
    session.commit()
    return {"user": shop.ada, "product": shop.mug, "order": order.id, "token": token.id}
