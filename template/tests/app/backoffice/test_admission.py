"""Access rules of the back office."""

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.accounts.backoffice import auth
from app.accounts.models import Role, User
from tests.app.backoffice.conftest import HOME, Desk, People


@pytest.mark.parametrize(("role", "status"), [(None, 302), (Role.CUSTOMER, 403)])
def test_a_page_is_for_the_staff_unless_it_is_for_everybody(
    app: Flask, anybody: Desk, session: Session, people: People, role: Role | None, status: int
) -> None:
    if role:
        anybody.sign_in("grace@example.com")
        session.get_one(User, people.grace).role = role
        session.commit()

    refused = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("backoffice.") and rule.endpoint not in auth.FOR_EVERYBODY:
            address = re.sub("<.*?>", "1", rule.rule)
            answer = anybody.get(address) if "GET" in (rule.methods or ()) else anybody.send(address)
            refused[rule.rule] = answer.status_code

    assert refused
    assert set(refused.values()) == {status}, refused


def test_who_is_led_to_the_sign_in_comes_back(anybody: Desk) -> None:
    led = anybody.get(f"{HOME}?cursor=x")

    arrived = anybody.sign_in("grace@example.com", next=led.location.partition("next=")[2].replace("%3D", "="))

    assert led.location.startswith("/sign-in?next=/")
    assert arrived.location == f"{HOME}?cursor=x"
