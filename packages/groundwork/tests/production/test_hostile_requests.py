"""Oversized, malformed, frequent and slow requests to the stack."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from packages.groundwork.tests.conftest import ROOT
from packages.groundwork.tests.production.running_stack import CLIENTS, Stack

REFUSED = ROOT / "packages/groundwork/src/groundwork/flask/http/static/refused.html"


@pytest.mark.engine
def test_hostile_requests_are_refused_by_the_proxy(stack: Stack) -> None:
    too_large = stack.ask("POST", "/api/users?x='\"", b"x" * 65 * 1024)
    assert too_large.status == 413
    assert too_large.headers["Content-Type"] == "application/problem+json"
    assert too_large.json["instance"] == "/api/users"
    assert stack.ask("GET", "/api/products", headers={"X-Long": "x" * 40_000}).status == 431
    with ThreadPoolExecutor(CLIENTS) as pool:
        too_long = list(pool.map(lambda _: stack.ask("GET", "/" + "x" * 40_000), range(300)))
        assert {(answer.status, answer.body) for answer in too_long} == {(414, REFUSED.read_bytes())}
        answers = list(pool.map(lambda _: stack.ask("POST", "/api/users", {}).status, range(300)))
    assert set(answers) == {422, 429}
    assert stack.ask("GET", "/api/products").status == 200


@pytest.mark.engine
def test_what_the_proxy_lets_through_the_service_reads(stack: Stack) -> None:
    """Otherwise gunicorn would refuse the request, and its response is no problem document."""
    lengths = [4000, 5000, *range(8100, 8200)]
    addresses = [stack.ask("GET", f"/api/products?x={'x' * length}") for length in lengths]
    headers = [stack.ask("GET", "/api/products", headers={"X-Long": "x" * length}) for length in lengths]
    many = stack.ask("GET", "/api/products", headers={f"X-{number}": "x" for number in range(900)})
    expecting = stack.ask("GET", "/api/products", headers={"Expect": "something"})

    assert {answer.status for answer in addresses} == {414, 422}
    assert {answer.status for answer in headers} == {200, 431}
    assert many.status == expecting.status == 200
    for answer in (*addresses, *headers):
        assert answer.status == 200 or answer.json["status"] == answer.status


@pytest.mark.engine
def test_a_client_that_sends_slowly_is_given_up(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n")

        assert slow.recv(1000) == b""
