"""A shop with a customer and something to sell, and a client that accepts only what the API's document promises."""

from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.accounts import users
from app.shop import products
from groundwork.flask.testing.contract import Contract, HeldClient
from tests import accounts

NOBODY, OWNER, ANOTHER, STAFF = "nobody", "the owner", "another customer", "the staff"


@dataclass(frozen=True)
class Shop:
    ada: int
    mug: int
    pot: int
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
def shop(session: Session) -> Shop:
    """Ten mugs, three teapots; their ids and Ada's."""
    ada = users.register(session, "ada@example.com", "Ada")
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    pot = products.add(session, "POT-01", "Teapot", 6400, 3)
    token = accounts.token(session, ada)
    session.commit()
    return Shop(ada.id, mug.id, pot.id, token)


@pytest.fixture
def everybody(session: Session, shop: Shop) -> dict[str, dict[str, str]]:
    """Return the header of each kind of caller."""
    another = accounts.token(session, users.register(session, "bruno@example.com", "Bruno"))
    everybody = {NOBODY: {}, OWNER: shop.token, ANOTHER: another, STAFF: accounts.clerk(session)}
    session.commit()
    return everybody
