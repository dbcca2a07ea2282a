"""OpenAPI document of the API."""

from http import HTTPStatus
from typing import Any

from flask import Flask

from app.accounts.api import responses
from app.accounts.api.auth import STAFF
from app.blueprints import ABOUT
from groundwork.flask.http.openapi import document
from groundwork.flask.http.openapi.operation import EVERYBODY, Operation
from groundwork.flask.http.openapi.routes import Route
from groundwork.system import paths

COMMITTED = paths.ROOT / "openapi.json"


def test_the_command_prints_what_is_committed(app: Flask) -> None:
    printed = app.test_cli_runner().invoke(args=["openapi"])

    assert printed.stdout == COMMITTED.read_text("utf-8")


def test_it_is_served(app: Flask) -> None:
    answer = app.test_client().get("/api/openapi.json")

    assert answer.content_type == "application/json"
    assert answer.text == COMMITTED.read_text("utf-8")


def test_who_may_call_a_route_is_told_with_what_becomes_of_others() -> None:
    told = described(Operation("payOrder", gives={HTTPStatus.OK: responses.User}, allowed=STAFF))

    assert told["security"] == [{"token": ["staff"]}]
    assert set(told["responses"]) == {"200", "401", "403", "404", "431", "502", "503", "504"}


def test_an_answer_may_be_empty() -> None:
    told = described(Operation("touchOrder", allowed=EVERYBODY, gives={HTTPStatus.NO_CONTENT: None}))

    assert "content" not in told["responses"]["204"]


def described(operation: Operation) -> Any:
    route = Route("/orders/{order_id}", "get", "orders", {"order_id": {"type": "integer"}}, operation, "Made up", "")
    return document.document([route], ABOUT)["paths"]["/orders/{order_id}"]["get"]
