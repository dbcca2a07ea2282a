"""The desk, with somebody of the staff before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from app import products, users
from app.models import Role

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse

PASSWORD = "correct horse battery staple"
TOKEN = re.compile(r'name="forgery_token" value="(\w+)"')


class Desk(FlaskClient):
    """Fills in forms as a browser does: with what they hide."""

    def send(self, address: str, page: str = "/sign-in", **fields: str) -> TestResponse:
        """With the token of the form on that page."""
        found = TOKEN.search(self.get(page).text)
        assert found
        return self.post(address, data={"forgery_token": found[1], **fields})

    def sign_in(self, email: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        return self.send("/sign-in", email=email, password=password, **fields)


@dataclass(frozen=True)
class Shop:
    ada: int
    grace: int
    mug: int


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with the least that argon2 takes: its real cost would be most of what the desk's tests take."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    nobodys = hasher.hash("")
    monkeypatch.setattr("app.passwords._hasher", lambda: hasher)
    monkeypatch.setattr("app.passwords._nobodys", lambda: nobodys)


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
    """Not signed in."""
    return Desk(app, app.response_class)


@pytest.fixture
def desk(anybody: Desk) -> Desk:
    """Grace's."""
    assert anybody.sign_in("grace@example.com").status_code == 303
    return anybody
