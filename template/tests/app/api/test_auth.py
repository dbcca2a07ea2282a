"""Access rules of API routes: permitted callers and visible records."""

from collections.abc import Mapping

import pytest
from flask import Flask

from app.accounts.models import Role
from groundwork.flask.testing import access
from groundwork.flask.testing.contract import HeldClient
from tests.app.api.conftest import ANOTHER, NOBODY, OWNER, STAFF, Things

NEW_USER = {"email": "new@example.com", "name": "New", "password": "correct horse"}
SIGN_IN = {"email": "nobody@example.com", "password": "correct horse"}

EXPECTED: dict[str, tuple[Mapping[str, object] | None, dict[str, int]]] = {
    "POST /api/users": (NEW_USER, {NOBODY: 201, OWNER: 201, ANOTHER: 201, STAFF: 201}),
    "GET /api/users/<user>": (None, {NOBODY: 401, OWNER: 200, ANOTHER: 404, STAFF: 200}),
    "POST /api/tokens": (SIGN_IN, {NOBODY: 401, OWNER: 401, ANOTHER: 401, STAFF: 401}),
    "GET /api/tokens": (None, {NOBODY: 401, OWNER: 200, ANOTHER: 200, STAFF: 200}),
    "DELETE /api/tokens/<token>": (None, {NOBODY: 401, OWNER: 404, ANOTHER: 404, STAFF: 404}),
    "POST /api/items": ({"name": "New"}, {NOBODY: 401, OWNER: 403, ANOTHER: 403, STAFF: 201}),
    "GET /api/items": (None, {NOBODY: 200, OWNER: 200, ANOTHER: 200, STAFF: 200}),
    "GET /api/items/<item>": (None, {NOBODY: 200, OWNER: 200, ANOTHER: 200, STAFF: 200}),
}
"""Request body and expected status per caller, by route; `<user>` is the owner, and there is no such token."""


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
    anybody: HeldClient, everybody: dict[str, dict[str, str]], things: Things, route: str, who: str
) -> None:
    method, _, address = route.partition(" ")
    for name, number in {"user": things.user, "item": things.item, "token": 9_000_000}.items():
        address = address.replace(f"<{name}>", str(number))
    body, expected = EXPECTED[route]

    answer = anybody.open(address, method=method, json=body, headers=everybody[who])

    assert answer.status_code == expected[who]
