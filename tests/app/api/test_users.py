"""Routes of /api/users."""

import pytest
from flask.testing import FlaskClient

from app.blueprints import ABOUT
from groundwork.flask.security import login_throttle, passwords
from tests.accounts import ADA


def test_a_new_user_is_where_the_answer_says(client: FlaskClient) -> None:
    created = client.post("/api/users", json=ADA)

    assert created.status_code == 201
    assert created.json is not None
    assert (created.json["email"], created.json["name"]) == ("ada@example.com", "Ada")
    assert client.get(created.headers["Location"]).json == created.json


def test_spaces_around_a_name_are_not_kept(client: FlaskClient) -> None:
    created = client.post("/api/users", json={**ADA, "name": "  Ada "})

    assert created.json is not None
    assert created.json["name"] == "Ada"


def test_a_taken_address_is_a_conflict(client: FlaskClient) -> None:
    client.post("/api/users", json=ADA)

    refused = client.post("/api/users", json={**ADA, "email": "ADA@example.com", "name": "Another Ada"})

    assert refused.status_code == 409
    assert refused.json == {
        "type": f"{ABOUT.problem_types}email-taken",
        "title": "Email taken",
        "status": 409,
        "detail": "There already is a user with the address ADA@example.com.",
        "instance": "/api/users",
        "email": "ADA@example.com",
    }


def test_an_unknown_user_is_not_found(client: FlaskClient) -> None:
    assert client.get("/api/users/7").status_code == 404


def test_a_password_that_is_too_short_is_told_how_long_it_should_be(client: FlaskClient) -> None:
    refused = client.post("/api/users", json={**ADA, "password": "short"})

    assert refused.status_code == 422
    assert refused.get_json()["errors"] == [
        {"pointer": "#/password", "detail": "String should have at least 12 characters"}
    ]
    assert "short" not in refused.text


@pytest.mark.parametrize("password", ["Password1234", "ADA@example.com"])
def test_a_password_that_others_try_first_is_refused(client: FlaskClient, password: str) -> None:
    refused = client.post("/api/users", json={**ADA, "password": password})

    assert refused.status_code == 422
    assert refused.json == {
        "type": f"{ABOUT.problem_types}known-password",
        "title": "Known password",
        "status": 422,
        "detail": "This password is easy to guess: it is common, or your name or address. Please choose another one.",
        "instance": "/api/users",
    }


def test_registrations_from_one_place_are_stopped_before_a_password_is_hashed(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_throttle, "REGISTRATIONS", 1)
    first = client.post("/api/users", json=ADA)
    monkeypatch.delattr(passwords, "digest")

    stopped = client.post("/api/users", json={**ADA, "email": "another@example.com"})

    assert (first.status_code, stopped.status_code) == (201, 429)
    assert 0 < int(stopped.headers["Retry-After"]) <= login_throttle.WINDOW.total_seconds()


def test_a_password_that_finds_no_turn_is_a_503_at_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = passwords.Turns()
    turns.limit(1)
    monkeypatch.setattr(passwords, "turns", turns)

    with turns.taken():
        refused = [
            client.post("/api/users", json=ADA),
            client.post("/api/tokens", json={"email": ADA["email"], "password": ADA["password"]}),
        ]
    registered = client.post("/api/users", json=ADA)

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in refused] == [(503, "1")] * 2
    assert registered.status_code == 201
