"""A shop with a customer and something to sell, and a client that accepts only what the API's document promises."""

from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import products, users
from tests import service
from tests.app.api.contract import Contract, HeldClient


@dataclass(frozen=True)
class Shop:
    ada: int
    mug: int
    pot: int
    token: dict[str, str]
    """Ada's."""


@pytest.fixture(scope="session")
def contract(app: Flask) -> Contract:
    return Contract(app)


@pytest.fixture
def client(app: Flask, session: Session, contract: Contract) -> HeldClient:
    """Of the staff, who may do everything."""
    client = HeldClient(app, contract)
    client.environ_base["HTTP_AUTHORIZATION"] = service.clerk(session)["Authorization"]
    session.commit()
    return client


@pytest.fixture
def anybody(app: Flask, session: Session, contract: Contract) -> HeldClient:
    """Without a token."""
    return HeldClient(app, contract)


@pytest.fixture
def shop(session: Session) -> Shop:
    """Ten mugs, three teapots; their ids and Ada's."""
    ada = users.register(session, "ada@example.com", "Ada")
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    pot = products.add(session, "POT-01", "Teapot", 6400, 3)
    token = service.token(session, ada)
    session.commit()
    return Shop(ada.id, mug.id, pot.id, token)
