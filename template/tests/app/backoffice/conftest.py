"""Browsers at the back office, signed out or signed in as staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.accounts import users
from app.accounts.models import Role
from app.items import items
from groundwork.flask.testing import cheap_passwords
from groundwork.flask.testing.form_client import FormClient

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse

HOME = "/items"
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


@pytest.fixture(autouse=True)
def passwords_are_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_passwords.make_cheap(monkeypatch)


@pytest.fixture
def people(session: Session) -> People:
    ada = users.register(session, "ada@example.com", "Ada <script>", PASSWORD)
    grace = users.register(session, "grace@example.com", "Grace", PASSWORD, role=Role.STAFF)
    items.add(session, "A first one")
    session.commit()
    return People(ada.id, grace.id)


@pytest.fixture
def anybody(app: Flask, people: People) -> Desk:
    """Return a client that is not signed in."""
    return Desk(app, app.response_class)


@pytest.fixture
def desk(anybody: Desk) -> Desk:
    """Return a client that is signed in as Grace."""
    assert anybody.sign_in("grace@example.com").status_code == 303
    return anybody
