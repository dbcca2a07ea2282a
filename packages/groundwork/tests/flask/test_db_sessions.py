"""Attribution of statements to requests in PostgreSQL."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.config import Config
from groundwork.flask import db_sessions
from groundwork.flask.database import db
from groundwork.system import paths
from groundwork.testing.server_lifecycle import dedicated_server
from groundwork.testing.service import Database, dispose
from tests.accounts import ADA

MINE = {"X-Request-ID": "0-mine.1"}
NAMES = text(
    "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
PREPARED = text("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%FROM products%'")
ROOT = paths.ROOT


def test_a_connection_is_called_by_the_request_that_had_it_last(database: Database) -> None:
    client = database.app().test_client()

    called = []
    for request_id in ("first", "x" * 63, "second"):
        client.get("/api/products", headers={"X-Request-ID": request_id})
        called += names(database)

    assert called == ["first", "x" * 63, "second"]


def test_one_that_fails_leaves_its_name_to_the_next(database: Database) -> None:
    client = database.app().test_client()

    statuses = [client.post("/api/users", json=ADA).status_code for _ in range(2)]
    client.get("/api/products", headers=MINE)

    assert statuses == [201, 409]
    assert names(database) == [MINE["X-Request-ID"]]


def test_outside_a_request_it_has_the_name_of_the_service(database: Database) -> None:
    app = database.app()
    app.test_client().get("/api/products", headers=MINE)

    with app.app_context(), db.engine.connect():
        assert names(database) == [Config.service]


def test_names_push_no_prepared_statement_out(database: Database) -> None:
    app = database.app()
    client = app.test_client()

    for number in range(700):  # psycopg counts the last hundred statements, and prepares one that came five times
        client.get("/api/products" if number % 110 == 0 else "/api/tokens", headers={"Authorization": "Bearer token_"})

    with app.app_context(), db.engine.connect() as connection:
        assert len(connection.scalars(PREPARED).all()) == 1


def test_the_log_of_the_server_says_whose_a_statement_is_and_no_value(logging_server: tuple[Database, Path]) -> None:
    database, log = logging_server
    client = database.app().test_client()

    client.post("/api/users", json=ADA)
    client.post("/api/users", json=ADA, headers=MINE)

    said = log.read_text()
    assert re.search(r"postgres@\S+ 0-mine.1 ERROR:  duplicate key value violates unique constraint", said)
    assert re.search(r"postgres@\S+ 0-mine.1 STATEMENT:  INSERT INTO users", said)
    assert re.search(r"postgres@\S+ 0-mine.1 LOG:  duration: [\d.]+ ms .*: SAVEPOINT", said)
    assert "ada@example.com" not in said


def test_a_running_process_connects_before_and_after_its_password_is_replaced(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "POSTGRES_PASSWORD"
    app = database.app()
    db_sessions.init_app(app, Config.service, file)
    right, statuses = database.environment["POSTGRES_PASSWORD"], []

    for known in (right, f"{right}\nthe new one", f"the old one\n{right}", "the old one\nanother"):
        file.write_text(known)
        dispose(app)
        statuses.append(app.test_client().get("/api/products").status_code)

    assert statuses == [200, 200, 200, 503]


def names(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.scalars(NAMES))


@pytest.fixture
def logging_server(tmp_path: Path) -> Iterator[tuple[Database, Path]]:
    """Run a server with production's log settings that treats every statement as slow."""
    compose = (ROOT / "compose" / "production.yml").read_text()
    asked_for = dict(re.findall(r'-c(log_\w+)=([^"\n]*)', compose)) | {"log_min_duration_statement": "0"}
    with dedicated_server(tmp_path / "data", asked_for) as (_, database):
        yield database, tmp_path / "data.log"
