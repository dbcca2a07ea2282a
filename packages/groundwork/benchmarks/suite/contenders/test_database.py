"""Trivial test for every contender with a database."""

import os

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import User


@pytest.mark.parametrize("number", range(int(os.environ["BENCHMARK_TESTS"])))
def test_a_user_is_kept(session: Session, number: int) -> None:
    email = f"{number}@example.org"

    session.add(User(email=email, name="Ada"))
    session.commit()

    assert session.scalars(select(User.name).where(User.email == email)).one() == "Ada"
