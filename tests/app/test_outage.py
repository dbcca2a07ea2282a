"""The database goes away and comes back, under a service that stays."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import cast

import psycopg
import pytest
from flask import Flask
from psycopg import errors
from sqlalchemy import Engine, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from app import products, tokens, users
from app.database import db, is_passing
from app.models import Product
from ops import postgres
from tests import clones
from tests.own_server import own_server
from tests.service import ADA, Database, clerk
from tests.waiting import wait_until

END_ALL = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
WAITS_FOR_A_LOCK = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_while_the_server_is_stopped_answers_are_503_and_then_200_at_once(
    small_server: tuple[postgres.Server, Database], capfd: pytest.CaptureFixture[str]
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


def test_a_server_that_takes_no_more_connections_is_away(small_server: tuple[postgres.Server, Database]) -> None:
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


@pytest.mark.parametrize("moment", ["savepoint", "before_cursor_execute", "after_cursor_execute", "commit"])
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


def test_a_pool_without_a_free_connection_is_a_503(database: Database) -> None:
    app = database.app()
    engine = create_engine(database.url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    with app.app_context():
        cast("dict[str | None, Engine]", db.engines)[None] = engine

    with engine.connect():
        answer = app.test_client().get("/api/products")

    assert_unavailable(answer)
    assert app.test_client().get("/api/products").status_code == 200


def test_who_is_chosen_to_end_a_deadlock_is_told_to_try_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c deadlock_timeout=50ms")  # instead of a second
    app = database.app()
    user, *goods = stock_shop(database)
    with database.session() as session:
        token = clerk(session)
        session.commit()
    order = {"user_id": user, "lines": [{"product_id": product, "quantity": 1} for product in goods]}

    with database.session() as other, ThreadPoolExecutor() as sender, database.session() as watcher:
        watcher.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        other.execute(text("SET deadlock_timeout = '1h'"))  # so that it is the service that looks for one
        other.execute(select(Product).where(Product.id == goods[1]).with_for_update())
        sent = sender.submit(lambda: app.test_client().post("/api/orders", json=order, headers=token))
        wait_until(lambda: watcher.scalar(WAITS_FOR_A_LOCK) == 1)
        other.execute(select(Product).where(Product.id == goods[0]).with_for_update())
        other.rollback()

    assert_unavailable(sent.result())
    assert app.test_client().post("/api/orders", json=order, headers=token).status_code == 201


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
        (errors.QueryCanceled(), False),
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
    assert is_passing(error) == passing


def assert_unavailable(answer: TestResponse) -> None:
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json is not None
    assert answer.json["detail"] == "The database is not available. Please try again in a moment."


def end_all(database: Database) -> None:
    """As a restart of the server does it to whoever is connected."""
    with database.session() as session:
        session.execute(END_ALL)


def take_every_connection(database: Database, taken: ExitStack) -> None:
    """Ends as PostgreSQL refuses the next one."""
    first = taken.enter_context(clones.connect(database.environment))
    wait_until(
        lambda: first.execute("SELECT count(*) FROM pg_stat_activity WHERE client_port > 0").fetchall() == [(1,)]
    )
    while True:
        taken.enter_context(clones.connect(database.environment))


def connections_in_use(app: Flask) -> int:
    with app.app_context():
        return cast("int", db.engine.pool.checkedout())  # type: ignore[attr-defined]  # a QueuePool's


def stock_shop(database: Database) -> list[int]:
    """A user and two products: their ids."""
    with database.session() as session:
        user = users.register(session, "ada@example.com", "Ada")
        goods = [products.add(session, f"SKU-{number}", "Thing", 100, 10) for number in range(2)]
        session.commit()
        return [user.id, *(product.id for product in goods)]


@contextmanager
def once(app: Flask, moment: str, happens: Callable[[], None]) -> Iterator[None]:
    """The first time that the service comes to that moment, as SQLAlchemy names its events."""
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
def small_server(server_of_this_file: tuple[postgres.Server, Database]) -> Iterator[tuple[postgres.Server, Database]]:
    """With few connections, all of which are free."""
    yield server_of_this_file
    server_of_this_file[1].close()


@pytest.fixture(scope="module")
def server_of_this_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[postgres.Server, Database]]:
    data = tmp_path_factory.mktemp("outage") / "data"
    with own_server(data, {"max_connections": "5", "superuser_reserved_connections": "0"}) as started:
        yield started
