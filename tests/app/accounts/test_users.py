"""Registration, lookup and passwords of users."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from app.accounts import tokens, users
from app.accounts.errors import EmailTaken, UnknownUser, WrongCredentials
from app.accounts.models import User
from groundwork.flask.security import passwords
from groundwork.testing.service import Database, wait_until

DAY = timedelta(days=1)
PASSWORD = "correct horse battery staple"


def test_a_registered_user_is_found(session: Session) -> None:
    ada = users.register(session, "ada@example.com", "Ada")

    assert users.find(session, ada.id) is ada


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@example.com", "Ada@Example.Com"])
def test_an_address_registers_once_whatever_the_case_of_its_letters(session: Session, email: str) -> None:
    users.register(session, "ada@example.com", "Ada")

    with pytest.raises(EmailTaken) as raised:
        users.register(session, email, "Another Ada")

    assert raised.value.email == email


@pytest.mark.parametrize(
    ("email", "other"),
    [
        ("İsmail@example.com", "ismail@example.com"),
        ("İsmail@example.com", "i\u0307smail@example.com"),
        ("ΝΙΚΟΣ@example.com", "νικος@example.com"),
        ("νικοσ@example.com", "νικος@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("Émile@example.com", "émile@example.com"),
    ],
)
def test_letters_beyond_ascii_are_compared_as_they_are(session: Session, email: str, other: str) -> None:
    first, second = (users.register(session, each, each, PASSWORD) for each in (email, other))

    assert users.find_by_email(session, email) is first
    assert users.find_by_email(session, other) is second
    assert users.authenticate(session, email, PASSWORD) is first
    with pytest.raises(EmailTaken):
        users.register(session, email.replace("example", "Example"), "Another")


@pytest.mark.parametrize(
    ("email", "written"),
    [
        ("émile@example.com", "e\u0301mile@EXAMPLE.com"),
        ("grace@münchen.example.com", "Grace@xn--MNCHEN-3ya.example.com"),
        ("\u212aarl@example.com", "karl@example.com"),
        ("grace@localhost", "GRACE@localhost"),
    ],
)
def test_an_address_is_found_in_whatever_form_it_is_written(session: Session, email: str, written: str) -> None:
    user = users.register(session, email, "Somebody")

    assert users.find_by_email(session, written) is user


def test_a_taken_address_loses_nothing_of_what_was_done_before(session: Session) -> None:
    users.register(session, "ada@example.com", "Ada")

    with pytest.raises(EmailTaken):
        users.register(session, "ada@example.com", "Another Ada")
    users.register(session, "bruno@example.com", "Bruno")

    assert session.scalars(select(User.name).order_by(User.id)).all() == ["Ada", "Bruno"]


def test_an_unknown_user_is_named(session: Session) -> None:
    with pytest.raises(UnknownUser, match="There is no user 7"):
        users.find(session, 7)


def test_a_new_password_ends_the_tokens_of_that_user_only(session: Session) -> None:
    ada, bruno = (users.register(session, f"{name}@example.com", name, PASSWORD) for name in ("ada", "bruno"))
    shown = [tokens.issue(session, ada, "a script", DAY, prefix)[1] for prefix in (tokens.PREFIX, tokens.DESK_PREFIX)]
    kept = tokens.issue(session, bruno, "a script", DAY)[1]

    users.set_password(session, ada, "another horse battery")

    assert [tokens.user(session, each) for each in shown] == [None, None]
    assert tokens.user(session, kept) is bruno


def test_a_password_that_changes_during_a_sign_in_does_not_sign_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session() as session:
        users.register(session, "ada@example.com", "Ada", PASSWORD)
        session.commit()
    verify = passwords.verify

    def change_then_compare(password: str, kept: str | None) -> bool:
        with database.session() as other:
            user = users.find_by_email(other, "ada@example.com")
            assert user
            users.set_password(other, user, "another horse battery")
            other.commit()
        return verify(password, kept)

    monkeypatch.setattr(passwords, "verify", change_then_compare)

    with database.session() as session, pytest.raises(WrongCredentials):
        users.authenticate(session, "ada@example.com", PASSWORD)


def test_a_new_password_waits_for_a_sign_in_and_ends_its_token(database: Database) -> None:
    with database.session() as session:
        users.register(session, "ada@example.com", "Ada", PASSWORD)
        session.commit()

    with database.session() as signing_in, database.session() as changing, ThreadPoolExecutor(1) as pool:
        user = users.authenticate(signing_in, "ada@example.com", PASSWORD)
        same = users.find_by_email(changing, "ada@example.com")
        assert same
        process = changing.scalar(select(func.pg_backend_pid()))
        changed = pool.submit(users.set_password, changing, same, "another horse battery")
        wait_until_blocked(database, process)
        _, shown = tokens.issue(signing_in, user, "a script", DAY)
        signing_in.commit()
        changed.result(timeout=30)
        changing.commit()

    with database.session() as session:
        assert tokens.user(session, shown) is None


def wait_until_blocked(database: Database, process: int | None) -> None:
    with database.session() as watching:
        blockers = select(func.cardinality(func.pg_blocking_pids(process)))
        wait_until(lambda: bool(watching.scalar(blockers)))


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
