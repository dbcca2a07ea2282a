"""Redaction of secrets, passwords, tokens and e-mail addresses in all logs."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from flask import Flask
from werkzeug.exceptions import InternalServerError

from app.accounts import tokens
from app.accounts.models import User
from groundwork.flask.database import db
from groundwork.flask.observability.logging import configure
from groundwork.flask.observability.redaction import REDACTED
from groundwork.testing.service import Database

TOKEN = tokens.PREFIX + "QyMh2q9I4MTh0PrdCuePyh4gSygX-D5tPOg90_euhM0"
DESK_TOKEN = TOKEN.replace(tokens.PREFIX, tokens.DESK_PREFIX)
SECRETS = ("hunter2", "ada@example.com", "ada%40", "ada%25", "c2VjcmV0", "correct horse", "QyMh2q9I4MTh0PrdCu")


@pytest.mark.parametrize(
    "said",
    [
        "password=hunter2",
        "PASSWORD: hunter2",
        "{'password': 'hunter2', 'name': 'Ada'}",
        "{'password': 'correct horse'}",
        r"{\"new_password\": \"hunter2\"}",
        "POSTGRES_PASSWORD=hunter2 psql",
        "Authorization: Bearer c2VjcmV0",
        "Authorization: Basic c2VjcmV0",
        "('Authorization', 'x'), sent Bearer c2VjcmV0",
        "Authorization: bearer  c2VjcmV0",
        "sent bearer   c2VjcmV0",
        "Set-Cookie: session=c2VjcmV0; csrf=hunter2",
        "X-Api-Key: hunter2",
        "GET /reset?token=hunter2&x=1 HTTP/1.1",
        "/orders?customer=ada%40example.com",
        "/orders?q=hunter2",
        "postgresql+psycopg://app:hunter2@db:5432/shop",
        "Ada <ada@example.com> is known",
        "mailto:ada@example.com.",
        "/users/ada%40example.com",
        "/users/ada%2540example.com",
        "/users/ada%252540example%25252Ecom/x",
        "/users/%61da%2540%65xample.com",
        "/orders%3Fpassword%3Dhunter2",
        "/x%253Ftoken%253Dhunter2%2526a%253Dada%252540example.com",
        f"/api/tokens/{TOKEN}",
        f"/api/tokens/{DESK_TOKEN}/x",
        f"sent {TOKEN.replace('_', '%5F')}",
        "DETAIL:  Failing row contains (1, hunter2, correct horse).",
        "[type=missing, input_value='hunter2', input_type=str]",
    ],
)
def test_what_is_said_in_words_is_taken_out(capfd: pytest.CaptureFixture[str], line_format: str, said: str) -> None:
    logging.getLogger("somebody").warning("it was %s", said)
    structlog.get_logger("somebody").warning("it was", said=said, all=[said], by_name={"it": said})
    try:
        raise ValueError(said)
    except ValueError:
        logging.getLogger("somebody").exception("failed")

    logged = capfd.readouterr().err
    assert logged.count(REDACTED) >= 5
    assert not [secret for secret in SECRETS if secret in logged]


def test_what_is_called_a_secret_is_taken_out_whatever_it_is(
    capfd: pytest.CaptureFixture[str], line_format: str
) -> None:
    structlog.get_logger("somebody").warning("it was", api_token=b"hunter2", headers={"Cookie": ["hunter2"]}, n=1)

    assert "hunter2" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "said",
    [
        "3 of 4: which?",
        "the primary key: 17",
        "at 12:30, /api/orders",
        "a@b",
        "Basic facts",
        "basic training",
        "100% = all",
        "x = y",
        "/caf%C3%A9/100%25/a_long_name_of_a_thing_that_is_no_secret_2",
        "/api/\u202e\x9b\ufffd",
        "app/http/openapi/static/a-very-long-file-name-2026.js",
    ],
)
def test_what_is_none_stays(capfd: pytest.CaptureFixture[str], said: str) -> None:
    configure("INFO", "json")

    structlog.get_logger("somebody").info(said, pieces=3, share=0.5, last=None, more=[said])

    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["more"], line["pieces"], line["share"], line["last"]) == (said, [said], 3, 0.5, None)


def test_a_whole_session_of_requests_leaves_none(capfd: pytest.CaptureFixture[str], app: Flask) -> None:
    client = app.test_client()
    client.environ_base |= {"HTTP_AUTHORIZATION": "Bearer c2VjcmV0", "HTTP_X_API_KEY": "hunter2"}
    client.set_cookie("session", "c2VjcmV0")
    ada = {"email": "ada@example.com", "name": "Ada", "password": "hunter2 hunter2"}

    asked = [
        client.post("/api/users", json=ada),
        client.post("/api/users", json=ada),
        client.post("/api/users", json={**ada, "password": "hunter2"}),
        client.post("/api/users", json={"email": "ada@example.com@", "name": ["hunter2"]}),
        client.post("/api/users", data='{"password": "hunter2"', content_type="application/json"),
        client.get("/api/users/1"),
        client.get("/api/users/ada@example.com"),
        client.get("/api/products?limit=hunter2&customer=ada@example.com"),
        client.get("/api/nosuch?token=hunter2"),
        client.get("/orders?q=ada@example.com"),
        client.post("/sign-in", data=ada),
        client.get("/broken-by-hand?token=hunter2"),
        client.get("/broken-in-the-database"),
        client.get("/broken-on-purpose"),
        client.get("/readyz?password=hunter2"),
    ]

    statuses = [each.status_code for each in asked]
    logged = capfd.readouterr().err
    assert statuses == [201, 409, 422, 422, 400, 401, 404, 422, 404, 302, 400, 500, 500, 500, 200]
    assert logged.count('"logger": "app.access"') == len(asked)
    assert logged.count("Traceback") >= 2
    assert "UniqueViolation" in logged
    assert not [secret for secret in SECRETS if secret in logged]
    assert app.config["SECRET_KEY"] not in logged
    assert str(app.config["SQLALCHEMY_DATABASE_URI"].password) not in logged


@pytest.fixture
def app(database: Database, capfd: pytest.CaptureFixture[str]) -> Iterator[Flask]:
    """Yield a service with views whose errors contain secrets."""
    app = database.app()
    app.config["PROPAGATE_EXCEPTIONS"] = False  # as production has it

    @app.get("/broken-by-hand")
    def by_hand() -> str:
        raise ValueError("ada@example.com has password=hunter2")

    @app.get("/broken-in-the-database")
    def in_the_database() -> str:
        db.session.add(User(email="ada@example.com", name="hunter2"))
        db.session.commit()
        return ""

    @app.get("/broken-on-purpose")
    def on_purpose() -> str:
        raise InternalServerError("Bearer c2VjcmV0")

    configure("DEBUG", "json")
    yield app
    configure("WARNING", "json")


@pytest.fixture(params=["json", "console"])
def line_format(request: pytest.FixtureRequest) -> Iterator[str]:
    configure("INFO", request.param)
    yield request.param
    configure("WARNING", "json")
