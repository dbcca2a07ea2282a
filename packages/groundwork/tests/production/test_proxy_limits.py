"""Limits of nginx per client address: concurrent requests, writes, and passwords."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from groundwork.configuration import loader
from groundwork.testing.service import wait_until
from packages.groundwork.tests.production.nginx import HOST, Answer, Proxy


@pytest.mark.engine
def test_one_address_has_so_many_requests_in_work_and_no_more(proxy: Proxy) -> None:
    most = loader.load("production", missing_secrets="show").proxy.requests_per_place
    # With a method that writes nothing, since other tests may have used up what one address may write.
    unfinished = f"GET /api/orders HTTP/1.1\r\n{HOST}Content-Length: 10\r\n\r\nx".encode()
    with ExitStack() as opened:
        for _ in range(most):
            connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=20)
            opened.enter_context(closing(connection)).sendall(unfinished)

        def ask() -> Answer:
            return proxy.ask(f"GET /api/orders HTTP/1.1\r\n{HOST}\r\n")

        wait_until(lambda: ask().status == 429)  # nginx has read the beginning of all of them
        refused = ask()

    assert refused.problem["status"] == refused.status == 429
    assert refused.headers["Retry-After"] == "1"


@pytest.mark.engine
@pytest.mark.parametrize("address", ["/api/users", "/api/tokens", "/sign-in", "/api/%75sers"])
def test_one_address_sends_fewer_passwords_than_other_writes(proxy: Proxy, address: str) -> None:
    burst = loader.load("production", missing_secrets="show").proxy.passwords_burst
    wait_until_nothing_serves(proxy)

    def post(_: int = 0) -> int:
        return proxy.ask(f"POST {address} HTTP/1.1\r\n{HOST}\r\n").status

    wait_until(lambda: post() == 502)  # others may have used up what one address may send
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(post, range(2 * burst)))

    assert 429 in statuses <= {429, 502}


@pytest.mark.engine
def test_who_writes_too_often_is_told_when_to_come_again(proxy: Proxy) -> None:
    wait_until_nothing_serves(proxy)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: proxy.ask(f"POST /api/orders HTTP/1.1\r\n{HOST}\r\n"), range(500)))

    assert {answer.status for answer in answers} == {429, 502}
    assert {(answer.problem["status"], answer.headers["Retry-After"]) for answer in answers} == {(429, "1"), (502, "1")}


def wait_until_nothing_serves(proxy: Proxy) -> None:
    """Wait until nginx has dropped the replicas of other tests."""
    wait_until(lambda: proxy.ask(f"GET /api/orders HTTP/1.1\r\n{HOST}\r\n").status == 502)
