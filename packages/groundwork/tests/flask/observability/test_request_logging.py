"""Request IDs and the access log."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from groundwork.flask.observability.logging import configure
from tests.accounts import ADA

Lines = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize("given", ["a", "0-9_.A", "x" * 63])
def test_a_sane_id_is_kept(client: FlaskClient, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given})

    assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", " ", "a b", "x" * 64, "é", '"', "{}", "a/b", "<script>"])
def test_another_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_two_requests_without_one_get_two(client: FlaskClient) -> None:
    assert client.get("/healthz").headers["X-Request-ID"] != client.get("/healthz").headers["X-Request-ID"]


def test_a_request_leaves_one_line(client: FlaskClient, lines: Lines) -> None:
    client.get("/api/products?limit=1", headers={"X-Request-ID": "mine"})

    [line] = lines()
    assert line.pop("duration_ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "app.access",
        "request_id": "mine",
        "method": "GET",
        "path": "/api/products",
        "status": 200,
    }


@pytest.mark.parametrize("address", ["/api/nosuch", "/nosuch", "/api/products/0"])
def test_a_request_that_fails_does_too(client: FlaskClient, lines: Lines, address: str) -> None:
    client.get(address)

    assert [(line["path"], line["status"]) for line in lines()] == [(address, 404)]


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_a_healthy_answer_is_worth_no_line_above_debug(client: FlaskClient, lines: Lines, address: str) -> None:
    client.get(address)
    assert lines() == []

    configure("DEBUG", "json")
    client.get(address)
    assert [line["path"] for line in lines() if line["logger"] == "app.access"] == [address]


def test_an_id_ends_with_its_request(client: FlaskClient, lines: Lines) -> None:
    client.get("/api/products", headers={"X-Request-ID": "first"})
    logging.getLogger("between").info("the requests")
    client.get("/api/products", headers={"X-Request-ID": "second"})

    assert [line.get("request_id") for line in lines()] == ["first", None, "second"]


def test_no_address_of_a_user_is_logged(client: FlaskClient, capfd: pytest.CaptureFixture[str]) -> None:
    configure("DEBUG", "json")

    for _ in ("registered", "refused"):
        client.post("/api/users", json=ADA)
    client.post("/api/users", json={"email": "ada@nowhere@example.com", "name": ""})

    logged = capfd.readouterr().err
    assert "/api/users" in logged
    assert "ada@" not in logged


@pytest.fixture
def lines(client: FlaskClient, capfd: pytest.CaptureFixture[str]) -> Lines:
    configure("INFO", "json")
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    yield
    configure("WARNING", "json")
