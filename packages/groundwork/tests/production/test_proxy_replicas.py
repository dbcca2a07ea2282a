"""Replicas behind nginx: one that is drained, and one that does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from groundwork.production import stack
from groundwork.testing.service import wait_until
from packages.groundwork.tests.production.docker_cli import docker
from packages.groundwork.tests.production.nginx import HOST, Proxy

ANSWERS = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[1]) if self.path == "/readyz" else 200)
        self.send_header("X-Name", sys.argv[2])
        self.end_headers()
HTTPServer(("", 8000), Handler).serve_forever()
"""
READY, DRAINED = ("python", "-c", ANSWERS, "200", "ready"), ("python", "-c", ANSWERS, "503", "drained")
LISTENS_AND_SAYS_NOTHING = "import socket, time; kept = socket.create_server(('', 8000)); time.sleep(600)"


@pytest.mark.engine
def test_the_service_is_ready_while_one_of_its_replicas_is_drained(proxy: Proxy) -> None:
    with replica(proxy, DRAINED), replica(proxy, READY):
        wait_until(lambda: {answered(proxy), answered(proxy)} == {"ready", "drained"})

        statuses = {proxy.ask(f"GET /readyz HTTP/1.1\r\n{HOST}\r\n").status for _ in range(20)}

    assert statuses == {200}


@pytest.mark.engine
def test_a_replica_that_says_nothing_is_given_up(proxy: Proxy) -> None:
    with replica(proxy, ("python", "-c", LISTENS_AND_SAYS_NOTHING)):
        wait_until(lambda: proxy.ask(f"GET /api/orders HTTP/1.1\r\n{HOST}\r\n").status != 502)
        answer = proxy.ask(f"GET /api/orders HTTP/1.1\r\n{HOST}\r\n")

    assert answer.problem["status"] == answer.status == 504
    assert answer.headers["Retry-After"] == "1"


def answered(proxy: Proxy) -> str | None:
    """Return the name of the replica that responded."""
    return proxy.ask(f"GET /api/orders HTTP/1.1\r\n{HOST}\r\n").headers.get("X-Name")


@contextmanager
def replica(proxy: Proxy, command: tuple[str, ...]) -> Iterator[None]:
    started = docker(
        *("run", "--detach", "--rm", "--network", proxy.network, "--network-alias", stack.SERVING),
        *("python:3.13-slim", *command),
    ).strip()
    try:
        yield
    finally:
        docker("rm", "--force", started)
