"""HTTP responses to errors."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.accounts import ADA


@pytest.mark.parametrize("address", ["/api", "/api/", "/api/nosuch", "/healthz/nosuch", "/readyz/nosuch"])
def test_a_program_that_asks_for_nothing_gets_a_problem(client: FlaskClient, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert {**answer.json, "detail": ""} == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "",
        "instance": address,
    }


def test_a_person_who_asks_for_nothing_gets_a_page(client: FlaskClient) -> None:
    answer = client.get("/nosuch")

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"


def test_a_method_that_is_not_allowed_is_told_those_that_are(client: FlaskClient) -> None:
    answer = client.delete("/api/orders")

    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"
    assert answer.allow.as_set() >= {"get", "post"}


def test_an_address_with_strange_characters_is_named_as_a_uri(client: FlaskClient) -> None:
    answer = client.get("/api/caf%C3%A9 %22")

    assert answer.json is not None
    assert answer.json["instance"] == "/api/caf%C3%A9%20%22"


def test_what_nobody_foresaw_is_a_500_that_tells_nothing_of_it(
    client: FlaskClient, broken_shop: None, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = client.get("/api/products", headers={"X-Request-ID": "the-broken-one"})

    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["X-Request-ID"] == "the-broken-one"
    assert "products" not in answer.text.replace("/api/products", "")
    logged = capfd.readouterr().err
    assert "the-broken-one" in logged
    assert "UndefinedTable" in logged


def test_an_unforeseen_error_does_not_put_addresses_into_the_log(
    client: FlaskClient, broken_shop: None, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = client.post("/api/users", json=ADA)

    assert answer.status_code == 500
    logged = capfd.readouterr().err
    assert "INSERT INTO users" in logged
    assert "ada@example.com" not in logged


@pytest.fixture
def broken_shop(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rename tables until the end of the test. Unexpected errors become a 500 instead of failing the test."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    session.execute(text("ALTER TABLE products RENAME TO lost_products"))
    session.execute(text("ALTER TABLE users RENAME TO lost_users"))
    session.commit()
