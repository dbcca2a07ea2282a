"""A shop with a customer and something to sell, and a client that accepts only what the API's document promises."""

from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import products, users
from tests.app.api.contract import Contract, HeldClient


@dataclass(frozen=True)
class Shop:
    ada: int
    mug: int
    pot: int


@pytest.fixture(scope="session")
def contract(app: Flask) -> Contract:
    return Contract(app)


@pytest.fixture
def client(app: Flask, session: Session, contract: Contract) -> HeldClient:
    return HeldClient(app, contract)


@pytest.fixture
def shop(session: Session) -> Shop:
    """Ten mugs, three teapots; their ids and Ada's."""
    ada = users.register(session, "ada@example.com", "Ada")
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    pot = products.add(session, "POT-01", "Teapot", 6400, 3)
    session.commit()
    return Shop(ada.id, mug.id, pot.id)
