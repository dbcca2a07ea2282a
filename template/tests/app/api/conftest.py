"""Callers of the API, and clients that accept only what the API's document promises."""

from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.accounts import users
from app.items import items
from groundwork.flask.testing.contract import Contract, HeldClient
from tests import accounts

NOBODY, OWNER, ANOTHER, STAFF = "nobody", "the owner", "another customer", "the staff"


@dataclass(frozen=True)
class Things:
    user: int
    """Ada."""
    item: int
    token: dict[str, str]
    """Authorization header of Ada."""


@pytest.fixture(scope="session")
def contract(app: Flask) -> Contract:
    return Contract(app)


@pytest.fixture
def client(app: Flask, session: Session, contract: Contract) -> HeldClient:
    """Return a client with a staff token, which allows everything."""
    client = HeldClient(app, contract)
    client.environ_base["HTTP_AUTHORIZATION"] = accounts.clerk(session)["Authorization"]
    session.commit()
    return client


@pytest.fixture
def anybody(app: Flask, session: Session, contract: Contract) -> HeldClient:
    """Return a client without a token."""
    return HeldClient(app, contract)


@pytest.fixture
def things(session: Session) -> Things:
    ada = users.register(session, "ada@example.com", "Ada")
    item = items.add(session, "A first one")
    things = Things(ada.id, item.id, accounts.token(session, ada))
    session.commit()
    return things


@pytest.fixture
def everybody(session: Session, things: Things) -> dict[str, dict[str, str]]:
    """Return the header of each kind of caller."""
    another = accounts.token(session, users.register(session, "bruno@example.com", "Bruno"))
    everybody = {NOBODY: {}, OWNER: things.token, ANOTHER: another, STAFF: accounts.clerk(session)}
    session.commit()
    return everybody
