"""The API as an OpenAPI document."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask

from app.api import answers, operation
from app.api.operation import EVERYBODY, STAFF, Operation
from app.reference import document
from app.reference.routes import Route, routes

COMMITTED = Path(__file__).parents[3] / "openapi.json"
WRITE_ANEW = "./inv run 'flask --app wsgi openapi' >openapi.json"


def test_the_committed_document_is_current(app: Flask) -> None:
    assert COMMITTED.read_text("utf-8") == document.text(app), f"the API has changed; write it anew: {WRITE_ANEW}"


def test_the_command_prints_what_is_committed(app: Flask) -> None:
    printed = app.test_cli_runner().invoke(args=["openapi"])

    assert printed.stdout == COMMITTED.read_text("utf-8")


def test_it_is_served(app: Flask) -> None:
    answer = app.test_client().get("/api/openapi.json")

    assert answer.content_type == "application/json"
    assert answer.text == COMMITTED.read_text("utf-8")


def test_every_route_of_the_api_is_in_it(app: Flask) -> None:
    silent = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and operation.of(app.view_functions[rule.endpoint]) is None
    }

    assert not silent


def test_every_operation_has_a_name_of_its_own_and_words(app: Flask) -> None:
    promised = routes(app)

    assert len({route.operation.id for route in promised}) == len(promised)
    assert all(route.summary for route in promised)


def test_who_may_call_a_route_is_told_with_what_becomes_of_others() -> None:
    told = described(Operation("payOrder", gives={HTTPStatus.OK: answers.Order}, allowed=STAFF))

    assert told["security"] == [{"token": ["staff"]}]
    assert set(told["responses"]) == {"200", "401", "403", "404", "431", "502", "503", "504"}


def test_an_answer_may_be_empty() -> None:
    told = described(Operation("touchOrder", allowed=EVERYBODY, gives={HTTPStatus.NO_CONTENT: None}))

    assert "content" not in told["responses"]["204"]


def described(operation: Operation) -> Any:
    route = Route("/orders/{order_id}", "get", "orders", {"order_id": {"type": "integer"}}, operation, "Made up", "")
    return document.document([route])["paths"]["/orders/{order_id}"]["get"]
