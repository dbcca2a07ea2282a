"""Routes of /api/tokens."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.accounts import users
from groundwork.flask.security import login_throttle, passwords
from groundwork.flask.testing.contract import HeldClient

EMAIL, PASSWORD = "ada@example.com", "correct horse battery staple"


def test_who_signs_in_gets_a_token_that_works_until_it_is_revoked(anybody: HeldClient, ada: int) -> None:
    made = sign_in(anybody, EMAIL, PASSWORD)

    told = made.get_json()
    header = {"Authorization": f"Bearer {told['token']}"}
    assert made.headers["Cache-Control"] == "no-store"
    assert (told["user_id"], told["role"], told["name"]) == (ada, "customer", "API")
    assert anybody.get(f"/api/users/{ada}", headers=header).get_json()["email"] == EMAIL
    assert anybody.delete(f"/api/tokens/{told['id']}", headers=header).status_code == 204
    assert anybody.get(f"/api/users/{ada}", headers=header).status_code == 401


@pytest.mark.parametrize("email", ["ΝΙΚΟΣ@example.com", "İsmail@example.com", "STRASSE@example.com"])
def test_whoever_registers_signs_in_with_the_same_address(anybody: HeldClient, email: str) -> None:
    registered = anybody.post("/api/users", json={"email": email, "name": "Somebody", "password": PASSWORD})

    made = sign_in(anybody, email, PASSWORD)

    assert (registered.status_code, made.status_code) == (201, 200)
    assert made.get_json()["user_id"] == registered.get_json()["id"]


def test_a_token_is_shown_once(anybody: HeldClient, ada: int) -> None:
    told = sign_in(anybody, EMAIL, PASSWORD).get_json()

    listed = anybody.get("/api/tokens", headers={"Authorization": f"Bearer {told['token']}"})

    assert [token["id"] for token in listed.get_json()["tokens"]] == [told["id"]]
    assert told["token"] not in listed.text


def test_nobody_learns_whether_there_is_such_a_user(anybody: HeldClient, ada: int, session: Session) -> None:
    users.register(session, "nopassword@example.com", "Without a password")
    session.commit()

    answers = [
        sign_in(anybody, EMAIL, "wrong"),
        sign_in(anybody, "nobody@example.com", "wrong"),
        sign_in(anybody, "nopassword@example.com", "wrong"),
    ]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert len({answer.data for answer in answers}) == 1


def test_a_password_is_looked_at_whether_or_not_there_is_such_a_user(
    anybody: HeldClient, ada: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both cases must run argon2 once with the same cost. Measured times would be unreliable."""
    looked_at: list[str] = []
    verify, nobodys = passwords._hasher().verify, passwords._nobodys()

    class Hasher:
        def verify(self, kept: str, given: str) -> bool:
            looked_at.append(kept)
            return verify(kept, given)

    monkeypatch.setattr(passwords, "_hasher", Hasher)

    sign_in(anybody, EMAIL, "wrong")
    sign_in(anybody, "nobody@example.com", "wrong")

    assert len(looked_at) == 2
    assert looked_at[1] == nobodys
    assert looked_at[0].split("$")[:4] == looked_at[1].split("$")[:4]  # the algorithm, its version and its cost


def test_guessing_is_stopped_and_tells_when_to_go_on(anybody: HeldClient, ada: int) -> None:
    for _ in range(login_throttle.FOR_A_USER):
        assert sign_in(anybody, EMAIL, "wrong").status_code == 401

    stopped = sign_in(anybody, EMAIL, PASSWORD)

    assert stopped.status_code == 429
    assert 0 < int(stopped.headers["Retry-After"]) <= login_throttle.WINDOW.total_seconds()


def test_who_knows_the_password_is_not_counted(anybody: HeldClient, ada: int) -> None:
    for _ in range(login_throttle.FOR_A_USER + 1):
        assert sign_in(anybody, EMAIL, PASSWORD).status_code == 200


def sign_in(client: HeldClient, email: str, password: str) -> TestResponse:
    return client.post("/api/tokens", json={"email": email, "password": password})


@pytest.fixture
def ada(app: Flask, session: Session) -> int:
    user = users.register(session, EMAIL, "Ada", PASSWORD)
    session.commit()
    return user.id
