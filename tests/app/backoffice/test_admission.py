"""Access rules of the desk."""

import re
from collections.abc import Mapping

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.accounts.backoffice import auth
from app.accounts.models import Role, User
from app.shop import orders
from tests.app.backoffice.conftest import PASSWORD, Desk, Shop

NOBODY, CUSTOMER, STAFF = "nobody", "a customer", "the staff"

EXPECTED: dict[str, tuple[Mapping[str, str] | None, dict[str, int]]] = {
    "GET /": (None, {NOBODY: 302, CUSTOMER: 403, STAFF: 302}),
    "GET /desk/<path:filename>": (None, {NOBODY: 200, CUSTOMER: 200, STAFF: 200}),
    "GET /sign-in": (None, {NOBODY: 200, CUSTOMER: 200, STAFF: 200}),
    "POST /sign-in": (
        {"email": "grace@example.com", "password": PASSWORD},
        {NOBODY: 303, CUSTOMER: 403, STAFF: 303},
    ),
    "POST /sign-out": ({}, {NOBODY: 303, CUSTOMER: 303, STAFF: 303}),
    "GET /orders": (None, {NOBODY: 302, CUSTOMER: 403, STAFF: 200}),
    "GET /orders/<order>": (None, {NOBODY: 302, CUSTOMER: 403, STAFF: 200}),
    "POST /orders/<order>": ({"status": "paid"}, {NOBODY: 302, CUSTOMER: 403, STAFF: 303}),
    "GET /products": (None, {NOBODY: 302, CUSTOMER: 403, STAFF: 200}),
    "GET /products/<product>": (None, {NOBODY: 302, CUSTOMER: 403, STAFF: 200}),
    "POST /products/<product>": (
        {"name": "Mug", "price": "1.00", "stock": "1", "seen": "another"},
        {NOBODY: 302, CUSTOMER: 403, STAFF: 412},
    ),
}
"""Form fields and expected status per caller, by route. The customer was staff when they signed in."""


def every_route(app: Flask) -> dict[str, str]:
    """Return the endpoint of each route."""
    return {
        f"{method} {rule.rule.replace('<id:', '<').replace('_id>', '>')}": rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("backoffice.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_a_route_for_everybody_says_here_what_each_gets(app: Flask) -> None:
    """Only staff may use the other routes, so these need no entry in EXPECTED."""
    routes = every_route(app)

    assert set(EXPECTED) <= set(routes)
    assert {name for name, endpoint in routes.items() if endpoint in auth.FOR_EVERYBODY} <= set(EXPECTED)


@pytest.mark.parametrize(("who", "status"), [(NOBODY, 302), (CUSTOMER, 403)])
def test_a_route_that_is_not_for_everybody_is_for_the_staff(
    app: Flask, anybody: Desk, session: Session, shop: Shop, who: str, status: int
) -> None:
    become(who, anybody, session, shop)
    refused = {}
    for name, endpoint in every_route(app).items():
        if endpoint not in auth.FOR_EVERYBODY:
            method, _, address = name.partition(" ")
            address = re.sub("<.*?>", "1", address)
            answer = anybody.get(address) if method == "GET" else anybody.send(address)
            refused[name] = answer.status_code

    assert refused
    assert set(refused.values()) == {status}, refused


@pytest.mark.parametrize("who", [NOBODY, CUSTOMER, STAFF])
@pytest.mark.parametrize("route", EXPECTED)
def test_a_route_is_for_the_staff_unless_it_leads_there(
    anybody: Desk, session: Session, shop: Shop, route: str, who: str
) -> None:
    order = orders.place(session, shop.ada, {shop.mug: 1})
    session.commit()
    become(who, anybody, session, shop)
    _method, _, address = route.partition(" ")
    for name, value in {"<path:filename>": "mark.svg", "<order>": order.id, "<product>": shop.mug}.items():
        address = address.replace(name, str(value))
    fields, expected = EXPECTED[route]

    with anybody.get(address) if fields is None else anybody.send(address, **fields) as answer:
        assert answer.status_code == expected[who]
    session.expire_all()
    assert orders.find(session, order.id).status == (
        "paid" if (who, fields) == (STAFF, {"status": "paid"}) else "placed"
    )


@pytest.mark.parametrize("address", ["/orders", "/orders/1", "/products?cursor=x"])
def test_who_is_led_to_the_sign_in_comes_back(anybody: Desk, address: str) -> None:
    led = anybody.get(address)

    arrived = anybody.sign_in("grace@example.com", next=led.location.partition("next=")[2].replace("%3D", "="))

    assert led.location.startswith("/sign-in?next=/")
    assert arrived.location == address


def become(who: str, desk: Desk, session: Session, shop: Shop) -> None:
    if who != NOBODY:
        desk.sign_in("grace@example.com")
    if who == CUSTOMER:
        session.get_one(User, shop.grace).role = Role.CUSTOMER
        session.commit()
