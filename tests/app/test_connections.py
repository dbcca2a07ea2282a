"""Whose a statement is, in what PostgreSQL says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.config import SERVICE
from app.database import db
from tests.own_server import own_server
from tests.service import ADA, Database

MINE = {"X-Request-ID": "0-mine.1"}
NAMES = text(
    "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
PREPARED = text("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%FROM products%'")
ROOT = Path(__file__).parents[2]


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
        assert names(database) == [SERVICE]


def test_names_push_no_prepared_statement_out(database: Database) -> None:
    app = database.app()
    client = app.test_client()

    for number in range(700):  # psycopg counts the last hundred statements, and prepares one that came five times
        client.get("/api/products" if number % 110 == 0 else "/api/orders", headers={"Authorization": "Bearer shop_"})

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


def names(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.scalars(NAMES))


@pytest.fixture
def logging_server(tmp_path: Path) -> Iterator[tuple[Database, Path]]:
    """It logs as production's does, and finds every statement slow."""
    compose = (ROOT / "compose" / "production.yml").read_text()
    asked_for = dict(re.findall(r'-c(log_\w+)=([^"\n]*)', compose)) | {"log_min_duration_statement": "0"}
    with own_server(tmp_path / "data", asked_for) as (_, database):
        yield database, tmp_path / "data.log"
