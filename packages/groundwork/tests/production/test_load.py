"""Load client against a misbehaving server."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from groundwork.production.load.background import under_load
from groundwork.production.load.client import Client, Plan
from packages.groundwork.tests.conftest import wait_until
from packages.groundwork.tests.production.traffic import notes

Answer = Callable[["Handler"], None]


def test_reads_and_writes_are_sent_and_their_numbers_kept() -> None:
    client = loaded(lambda handler: handler.answer(200))

    kinds = {each.kind for each in client.attempts}
    assert kinds == {"GET /notes", "GET /notes?unread", "POST /notes"}
    assert {write.acknowledged for write in client.traffic.writes} >= {1}
    assert not any(each.failed for each in client.attempts)


@pytest.mark.parametrize("status", [502, 503, 504, 429])
def test_a_write_is_sent_again_with_its_key(status: int) -> None:
    refused: set[str] = set()

    def refuse_once(handler: "Handler") -> None:
        key = handler.headers["Idempotency-Key"] or "a read"
        if key in refused:
            handler.answer(200)
        else:
            refused.add(key)
            handler.answer(status, {"Retry-After": "0"})

    client = loaded(refuse_once)

    writes = [each for each in client.attempts if each.is_write]
    assert [each.status for each in writes if each.first][:1] == [status]
    assert {each.status for each in writes if not each.first} == {201}
    assert len(refused - {"a read"}) == len(client.traffic.writes)
    assert all(each.retry_after for each in writes if each.first)
    assert not any(each.lost for each in client.attempts)


def test_what_is_refused_once_the_load_is_to_end_is_sent_again_too() -> None:
    arrived: list[str] = []

    def refuse_when_it_ends(handler: "Handler") -> None:
        arrived.append(handler.path)
        if len(arrived) > client.plan.connections:
            handler.answer(200)
        else:
            wait_until(lambda: client.stopping)
            handler.answer(503)

    with serving(refuse_when_it_ends) as url:
        client = Client(Plan(url, connections=2, writes_per_second=1000), notes())
        with under_load(client):
            wait_until(lambda: len(arrived) == client.plan.connections)

    assert [each.status for each in client.attempts if not each.last] == [503, 503]
    assert not any(each.lost for each in client.attempts)


def test_a_connection_that_breaks_is_an_attempt_of_its_own_for_reads_too() -> None:
    broken: list[str] = []

    def break_once(handler: "Handler") -> None:
        if handler.command == "GET" and not broken:
            broken.append(handler.path)
            handler.close_connection = True
        else:
            handler.answer(200)

    client = loaded(break_once)

    (lost,) = [each for each in client.attempts if each.failed]
    assert (lost.status, lost.first, lost.last) == (0, True, False)
    assert "Disconnected" in lost.error


def test_what_is_refused_for_good_is_not_sent_again() -> None:
    client = loaded(lambda handler: handler.answer(422))

    assert all(each.lost and each.first for each in client.attempts)


def test_writes_stay_below_the_limit_of_the_proxy() -> None:
    client = loaded(lambda handler: handler.answer(200), requests=100, writes_per_second=0.01)

    assert len(client.traffic.writes) == 1


def loaded(answer: Answer, requests: int = 40, writes_per_second: float = 1000) -> Client:
    """Run a load client and return it after at least `requests` attempts."""
    with serving(answer) as url:
        client = Client(Plan(url, connections=2, writes_per_second=writes_per_second), notes())
        with under_load(client):
            wait_until(lambda: len(client.attempts) >= requests)
        return client


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Handler)
    server.behave = answer
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    behave: Answer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def do_GET(self) -> None:
        self.server.behave(self)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.behave(self)

    def answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        body = b'{"id": 1}'
        self.send_response(201 if status == 200 and self.command == "POST" else status)
        for name, value in {
            **(headers or {}),
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Discard log lines, which would go to the terminal."""
