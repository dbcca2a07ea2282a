"""Isolation by the fixtures: no test sees the data of another one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from psycopg import Connection
from psycopg.rows import TupleRow
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from app.accounts.models import User
from groundwork.testing import database_pool
from groundwork.testing.service import Database
from tests.accounts import ADA

ROUNDS = range(2)  # the second round would find leftovers of the first


def _users(session: Session) -> int:
    return session.scalars(select(func.count(User.id))).one()


def _user() -> User:
    return User(email="ada@example.com", name="Ada")


@pytest.mark.parametrize("_round", ROUNDS)
def test_what_a_session_commits_is_rolled_back(session: Session, _round: int) -> None:
    assert _users(session) == 0
    session.add(_user())
    session.commit()
    session.rollback()
    assert _users(session) == 1


@pytest.mark.parametrize("_round", ROUNDS)
def test_code_under_test_may_roll_back(session: Session, _round: int) -> None:
    session.add(_user())
    session.rollback()
    assert _users(session) == 0


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_failed_statement_spoils_only_its_own_savepoint(session: Session, _round: int) -> None:
    session.add(_user())
    session.commit()
    with pytest.raises(Exception, match="division by zero"):
        session.execute(text("SELECT 1 / 0"))
    session.rollback()
    assert _users(session) == 1


@pytest.mark.parametrize("_round", ROUNDS)
def test_what_a_committing_session_commits_is_seen_by_others_and_deleted_afterwards(
    committing_session: Session, app: Flask, _round: int
) -> None:
    assert _users(committing_session) == 0
    committing_session.add(_user())
    committing_session.commit()

    listed = app.test_client().post("/api/users", json={**ADA, "email": "ADA@example.com", "name": "Another"})

    assert listed.status_code == 409


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_database_is_seen_by_many_connections_and_by_no_other_test(database: Database, _round: int) -> None:
    engine = create_engine(database.url)

    def register(number: int) -> None:
        with Session(engine) as session:
            session.add(User(email=f"{number}@example.com", name="One of many"))
            session.commit()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(register, range(8)))

    with Session(engine) as session:
        assert _users(session) == 8
    engine.dispose()


def test_two_databases_of_one_test_are_two(database: Database, empty_database: Database) -> None:
    assert database.url != empty_database.url


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_setting_a_temporary_table_and_an_open_transaction_do_not_outlive_a_test(
    session: Session, _round: int
) -> None:
    assert session.scalar(text("SHOW work_mem")) == "4MB"
    assert session.scalar(text("SELECT to_regclass('leftover')")) is None
    session.execute(text("SET work_mem = '9MB'"))
    session.execute(text("CREATE TEMPORARY TABLE leftover ()"))
    session.commit()
    session.execute(text("SELECT 1"))


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_connection_that_a_test_leaves_open_does_not_hold_its_database(
    database: Database, left_open: list[Connection[TupleRow]], _round: int
) -> None:
    left_open.append(database_pool.connect(database.environment, database.url.database))
    left_open[-1].execute("CREATE TABLE leftover ()")


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_role_that_a_test_creates_is_gone(session: Session, _round: int) -> None:
    session.execute(text("CREATE ROLE leftover"))
    session.commit()


@pytest.fixture
def left_open() -> Iterator[list[Connection[TupleRow]]]:
    """Yield a list of connections to close after their databases are dropped."""
    connections: list[Connection[TupleRow]] = []
    yield connections
    for connection in connections:
        connection.close()
