"""Client address of a request behind proxies."""

import pytest
from flask import Flask, request

from groundwork.testing import service

CLIENT, PROXY, LIE = "192.0.2.1", "198.51.100.1", "203.0.113.1"


@pytest.mark.parametrize(
    ("trusted", "from_", "forwarded", "expected"),
    [
        (0, CLIENT, LIE, CLIENT),
        (1, PROXY, CLIENT, CLIENT),
        (1, PROXY, f"{LIE}, {CLIENT}", CLIENT),
        (2, PROXY, f"{LIE}, {CLIENT}, {PROXY}", CLIENT),
    ],
)
def test_a_client_cannot_choose_its_address(
    worker_environment: dict[str, str], trusted: int, from_: str, forwarded: str, expected: str
) -> None:
    client = asked_who_asks(worker_environment, trusted).test_client()

    answer = client.get("/who", environ_base={"REMOTE_ADDR": from_}, headers={"X-Forwarded-For": forwarded})

    assert answer.text == expected


def asked_who_asks(environment: dict[str, str], trusted: int) -> Flask:
    app = service.create({**environment, "TRUSTED_PROXIES": str(trusted)})
    app.add_url_rule("/who", view_func=lambda: request.remote_addr or "nobody")
    return app
