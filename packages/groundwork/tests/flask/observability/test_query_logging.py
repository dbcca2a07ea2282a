"""Report of a request's statements in development."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from groundwork.flask.database import db
from groundwork.testing.service import Database


def test_the_line_of_a_request_counts_its_statements(app: Flask, capfd: pytest.CaptureFixture[str]) -> None:
    app.test_client().get("/api/products")

    (line,) = _lines(capfd, "request")
    assert line["statements"] == 1
    assert line["database_ms"] > 0


def test_a_statement_that_makes_a_page_slow_is_shown_with_who_asked(
    app: Flask, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundwork.flask.observability.query_logging.SLOW_MS", 0)

    app.test_client().get("/api/products")

    (line,) = _lines(capfd, "slow statement")
    assert line["sql"].startswith("SELECT products.")
    assert line["asked_by"].partition(":")[0].endswith("/products.py")


def test_a_statement_of_no_request_is_told_too(app: Flask, capfd: pytest.CaptureFixture[str]) -> None:
    with app.app_context():
        db.session.execute(text("SELECT pg_sleep(0.1)"))

    (line,) = _lines(capfd, "slow statement")
    assert line["ms"] >= 100
    assert line.get("asked_by") is None


def test_where_it_is_not_development_nothing_is_counted(database: Database, capfd: pytest.CaptureFixture[str]) -> None:
    database.environment["LOG_LEVEL"] = "INFO"

    database.app().test_client().get("/api/products")

    (line,) = _lines(capfd, "request")
    assert "statements" not in line


def _lines(capfd: pytest.CaptureFixture[str], name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    return [line for line in lines if line["event"] == name]


@pytest.fixture
def app(database: Database) -> Flask:
    database.environment |= {"FLASK_DEBUG": "1", "LOG_LEVEL": "INFO"}
    return database.app()
