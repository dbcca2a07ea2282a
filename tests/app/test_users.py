"""Who buys."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from app import users
from app.errors import EmailTaken, UnknownUser
from app.models import User
from tests.service import Database


def test_a_registered_user_is_found(session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")

    assert users.find(session, ada.id) is ada


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@example.com", "Ada@Example.Com"])
def test_an_address_registers_once_whatever_the_case_of_its_letters(session: Session, email: str) -> None:
    users.register(session, "ada@example.com", "Ada")

    with pytest.raises(EmailTaken) as raised:
        users.register(session, email, "Another Ada")

    assert raised.value.email == email


def test_a_taken_address_loses_nothing_of_what_was_done_before(session: Session) -> None:
    users.register(session, "ada@example.com", "Ada")

    with pytest.raises(EmailTaken):
        users.register(session, "ada@example.com", "Another Ada")
    users.register(session, "bruno@example.com", "Bruno")

    assert session.scalars(select(User.name).order_by(User.id)).all() == ["Ada", "Bruno"]


def test_an_unknown_user_is_named(session: Session) -> None:
    with pytest.raises(UnknownUser, match="There is no user 7"):
        users.find(session, 7)


def test_of_several_who_register_an_address_at_once_one_gets_it(engine: Engine) -> None:
    start = Barrier(8)

    def register(number: int) -> bool:
        with Session(engine) as session:
            start.wait()
            try:
                users.register(session, "ada@example.com", f"Ada {number}")
            except EmailTaken:
                return False
            session.commit()
            return True

    with ThreadPoolExecutor(8) as pool:
        registered = list(pool.map(register, range(8)))
    with Session(engine) as session:
        count = session.scalar(select(func.count(User.id)))

    assert sum(registered) == 1
    assert count == 1


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    engine = create_engine(database.url)
    yield engine
    engine.dispose()
