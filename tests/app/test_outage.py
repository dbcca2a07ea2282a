"""Outages of the database and recovery of the service."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import cast

import psycopg
import pytest
from flask import Flask
from psycopg import errors
from sqlalchemy import Engine, TextClause, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from app.accounts import tokens
from groundwork.flask.database import db, is_transient
from groundwork.postgresql import embedded
from groundwork.testing import database_pool
from groundwork.testing.server_lifecycle import dedicated_server
from groundwork.testing.service import Database, wait_until
from tests.accounts import ADA

END_ALL = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
WAITS_FOR_A_LOCK = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
OTHERS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
WAITS_FOR_LONG = text(f"{WAITS_FOR_A_LOCK} AND query_start < clock_timestamp() - interval '1500 ms'")


def test_while_the_server_is_stopped_answers_are_503_and_then_200_at_once(
    small_server: tuple[embedded.Server, Database], capfd: pytest.CaptureFixture[str]
) -> None:
    server, database = small_server
    app = database.app()
    client = app.test_client()
    before = client.get("/api/products").status_code
    with client.session_transaction() as kept:
        kept.update(token=f"{tokens.DESK_PREFIX}of-nobody", key="")

    server.stop()
    away = [client.get("/api/products") for _ in range(2)]
    page = client.get("/orders")
    server.start()
    back = [client.get("/api/products").status_code, client.get("/orders").status_code]

    assert (before, back) == (200, [200, 302])  # nobody is known there
    for answer in away:
        assert_unavailable(answer)
    assert page.status_code == 503
    assert page.mimetype == "text/html"
    assert page.headers["Retry-After"] == "1"
    assert "Please try again in a moment." in page.text
    logged = capfd.readouterr().err
    assert logged.count("the database is not available") == 3
    assert "Traceback" not in logged


def test_a_server_that_takes_no_more_connections_is_away(small_server: tuple[embedded.Server, Database]) -> None:
    _, database = small_server
    with ExitStack() as taken:
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            take_every_connection(database, taken)

        answer = database.app().test_client().get("/api/products")

    assert_unavailable(answer)


def test_connections_that_were_lost_in_the_pool_are_not_noticed(database: Database) -> None:
    app = database.app()
    with app.app_context(), ExitStack() as several:
        for _ in range(3):
            several.enter_context(db.engine.connect())
    end_all(database)

    answers = [app.test_client().get("/api/products").status_code for _ in range(4)]

    assert answers == [200] * 4


@pytest.mark.parametrize("moment", ["connect", "savepoint", "before_cursor_execute", "after_cursor_execute", "commit"])
def test_a_connection_lost_in_the_middle_is_a_503_and_the_next_request_works(database: Database, moment: str) -> None:
    app = database.app()

    with once(app, moment, lambda: end_all(database)):
        lost = app.test_client().post("/api/users", json=ADA)
    again = app.test_client().post("/api/users", json=ADA)

    assert_unavailable(lost)
    assert again.status_code == 201
    assert connections_in_use(app) == 0


def test_a_connection_lost_after_its_last_statement_takes_nothing_from_the_answer(database: Database) -> None:
    app = database.app()

    with once(app, "rollback", lambda: end_all(database)):
        answer = app.test_client().get("/api/products/1")

    assert answer.status_code == 404
    assert connections_in_use(app) == 0


def test_a_statement_that_takes_too_long_is_cancelled_and_a_503(
    database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    database.environment["POSTGRES_STATEMENT_TIMEOUT"] = "1"
    app = database.app()

    with database.session() as other:
        other.execute(text("LOCK TABLE products"))
        answer = app.test_client().get("/api/products")

    assert_unavailable(answer)
    assert app.test_client().get("/api/products").status_code == 200
    assert capfd.readouterr().err.count("canceling statement due to statement timeout") == 1


def test_a_transaction_that_stays_idle_is_ended_and_its_request_is_a_503(
    database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    database.environment["POSTGRES_IDLE_TIMEOUT"] = "1"
    app = database.app()

    with once(app, "after_cursor_execute", lambda: wait_until(lambda: count(database, OTHERS) == 0)):
        idle = app.test_client().post("/api/users", json=ADA)
    again = app.test_client().post("/api/users", json=ADA)

    assert_unavailable(idle)
    assert again.status_code == 201
    assert connections_in_use(app) == 0
    assert "Traceback" not in capfd.readouterr().err


def test_pruning_may_take_longer_than_a_request(database: Database) -> None:
    database.environment["POSTGRES_STATEMENT_TIMEOUT"] = "1"
    app = database.app()

    with database.session() as other, ThreadPoolExecutor() as runner:
        other.execute(text("LOCK TABLE idempotency_keys"))
        pruned = runner.submit(lambda: app.test_cli_runner().invoke(args=["prune"]))
        wait_until(lambda: count(database, WAITS_FOR_LONG) == 1)
        other.rollback()

    assert pruned.result().exit_code == 0, pruned.result().output


def test_a_pool_without_a_free_connection_is_a_503(database: Database) -> None:
    app = database.app()
    engine = create_engine(database.url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    with app.app_context():
        cast("dict[str | None, Engine]", db.engines)[None] = engine

    with engine.connect():
        answer = app.test_client().get("/api/products")

    assert_unavailable(answer)
    assert app.test_client().get("/api/products").status_code == 200


@pytest.mark.parametrize(
    ("cause", "passing"),
    [
        (errors.ConnectionTimeout(), True),
        (errors.AdminShutdown(), True),
        (errors.CrashShutdown(), True),
        (errors.CannotConnectNow(), True),
        (errors.TooManyConnections(), True),
        (errors.DiskFull(), True),
        (errors.DeadlockDetected(), True),
        (errors.SerializationFailure(), True),
        (errors.LockNotAvailable(), True),
        (errors.QueryCanceled(), True),
        (errors.IdleInTransactionSessionTimeout(), True),
        (errors.InFailedSqlTransaction(), False),
        (errors.ProgramLimitExceeded(), False),
        (errors.ObjectNotInPrerequisiteState(), False),
        (errors.UndefinedTable(), False),
        (errors.InsufficientPrivilege(), False),
        (errors.UniqueViolation(), False),
        (errors.NumericValueOutOfRange(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_passes_is_told_from_what_is_our_mistake(cause: psycopg.Error, passing: bool) -> None:
    error = DBAPIError.instance("SELECT", {}, cause, psycopg.Error)

    assert isinstance(error, DBAPIError)
    assert is_transient(error) == passing


def assert_unavailable(answer: TestResponse) -> None:
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json is not None
    assert answer.json["detail"] == "The database is not available. Please try again in a moment."


def end_all(database: Database) -> None:
    """Disconnect all clients, as a restart of the server does."""
    with database.session() as session:
        session.execute(END_ALL)


def count(database: Database, statement: TextClause) -> int:
    with database.session() as session:
        return cast("int", session.scalar(statement))


def take_every_connection(database: Database, taken: ExitStack) -> None:
    """Open connections until PostgreSQL refuses the next one."""
    first = taken.enter_context(database_pool.connect(database.environment))
    wait_until(
        lambda: first.execute("SELECT count(*) FROM pg_stat_activity WHERE client_port > 0").fetchall() == [(1,)]
    )
    while True:
        taken.enter_context(database_pool.connect(database.environment))


def connections_in_use(app: Flask) -> int:
    with app.app_context():
        return cast("int", db.engine.pool.checkedout())  # type: ignore[attr-defined]  # a QueuePool's


@contextmanager
def once(app: Flask, moment: str, happens: Callable[[], None]) -> Iterator[None]:
    """Call `happens` at the first SQLAlchemy event with the name `moment`."""
    left = [happens]

    def listen(*_: object) -> None:
        if left:
            left.pop()()

    with app.app_context():
        engine = db.engine
    event.listen(engine, moment, listen)
    try:
        yield
    finally:
        event.remove(engine, moment, listen)
    assert not left


@pytest.fixture
def small_server(server_of_this_file: tuple[embedded.Server, Database]) -> Iterator[tuple[embedded.Server, Database]]:
    """Yield a server with few connections, all of which are free."""
    yield server_of_this_file
    server_of_this_file[1].close()


@pytest.fixture(scope="module")
def server_of_this_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[embedded.Server, Database]]:
    data = tmp_path_factory.mktemp("outage") / "data"
    with dedicated_server(data, {"max_connections": "5", "superuser_reserved_connections": "0"}) as started:
        yield started
