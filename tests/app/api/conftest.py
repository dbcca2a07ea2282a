"""A shop with a customer and something to sell."""

from dataclasses import dataclass

import pytest
from sqlalchemy.orm import Session

from app import products, users


@dataclass(frozen=True)
class Shop:
    ada: int
    mug: int
    pot: int


@pytest.fixture
def shop(session: Session) -> Shop:
    """Ten mugs, three teapots; their ids and Ada's."""
    ada = users.register(session, "ada@example.com", "Ada")
    mug = products.add(session, "MUG-01", "Mug", 1800, 10)
    pot = products.add(session, "POT-01", "Teapot", 6400, 3)
    session.commit()
    return Shop(ada.id, mug.id, pot.id)
