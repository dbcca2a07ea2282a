"""Fixtures for the desk, signed out or signed in as staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.accounts import users
from app.accounts.models import Role
from app.shop import products
from groundwork.flask.testing import cheap_passwords
from groundwork.flask.testing.form_client import FormClient

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse

HOME = "/orders"
PASSWORD = "correct horse battery staple"


class Desk(FormClient):
    def send(self, address: str, page: str = "/sign-in", **fields: str) -> TestResponse:
        return super().send(address, page, **fields)

    def sign_in(self, email: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        return self.send("/sign-in", email=email, password=password, **fields)


@dataclass(frozen=True)
class People:
    ada: int
    """A customer."""
    grace: int
    """One of the staff."""


@dataclass(frozen=True)
class Shop(People):
    mug: int


@pytest.fixture(autouse=True)
def passwords_are_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_passwords.make_cheap(monkeypatch)


@pytest.fixture
def people(shop: Shop) -> People:
    return shop


@pytest.fixture
def shop(session: Session) -> Shop:
    """Ten mugs, a customer, and Grace of the staff."""
    ada = users.register(session, "ada@example.com", "Ada <script>", PASSWORD)
    grace = users.register(session, "grace@example.com", "Grace", PASSWORD, role=Role.STAFF)
    mug = products.add(session, "MUG-01", "Stoneware mug", 123450, 10)
    session.commit()
    return Shop(ada.id, grace.id, mug.id)


@pytest.fixture
def anybody(app: Flask, shop: Shop) -> Desk:
    """Return a client that is not signed in."""
    return Desk(app, app.response_class)


@pytest.fixture
def desk(anybody: Desk) -> Desk:
    """Return a client that is signed in as Grace."""
    assert anybody.sign_in("grace@example.com").status_code == 303
    return anybody
