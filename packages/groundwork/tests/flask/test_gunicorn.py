"""Requests that gunicorn itself refuses, with the configuration of production and no proxy in front."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPResponse

import pytest

from groundwork.system import paths, ports
from groundwork.testing.service import wait_until

ROOT = paths.ROOT
HOST = "Host: shop\r\n"
GET = f"GET /api/products HTTP/1.1\r\n{HOST}"
CHUNKED = f"POST /api/users HTTP/1.1\r\n{HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
PRODUCTION = json.loads((ROOT / "config" / "production.json").read_text("utf-8"))
ENVIRONMENT = {
    **{name: str(value) for name, value in PRODUCTION["environment"].items() if name != "METRICS_PORT"},
    **dict.fromkeys(PRODUCTION["secrets"], "p" * 20),
    "POSTGRES_HOST": "127.0.0.1",
    "GUNICORN_GRACEFUL_TIMEOUT": "1",
}

REFUSED = {
    "a target beyond ASCII": (400, f"GET /api/products?x=\u00e9 HTTP/1.1\r\n{HOST}\r\n"),
    "a target without a path": (400, f"GET products HTTP/1.1\r\n{HOST}\r\n"),
    "a method in lower case": (400, f"get /api/products HTTP/1.1\r\n{HOST}\r\n"),
    "an unknown version": (400, f"GET /api/products HTTP/9.1\r\n{HOST}\r\n"),
    "no version": (400, "GET /api/products\r\n\r\n"),
    "a header without a colon": (400, f"{GET}X\r\n\r\n"),
    "a header name with a space": (400, f"{GET}X Y: 1\r\n\r\n"),
    "a folded header": (400, f"{GET}X: 1\r\n 2\r\n\r\n"),
    "a control character in a header": (400, f"{GET}X: \x01\r\n\r\n"),
    "two content types": (400, f"{GET}Content-Type: a/b\r\nContent-Type: a/c\r\n\r\n"),
    "two lengths": (400, f"{GET}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    "a length that is no number": (400, f"{GET}Content-Length: x\r\n\r\n"),
    "a length and chunks": (400, f"{GET}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "an unknown transfer coding": (501, f"{GET}Transfer-Encoding: x\r\n\r\n"),
    "an unknown expectation": (417, f"{GET}Expect: x\r\n\r\n"),
    "contradictory schemes": (400, f"{GET}X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n\r\n"),
    "a long header": (431, f"{GET}X: {'x' * 20_000}\r\n\r\n"),
    "many headers": (431, GET + "X: x\r\n" * 1200 + "\r\n"),
    "a chunk without a size": (400, f"{CHUNKED}zz\r\n\r\n"),
    "a chunk of another size": (400, f"{CHUNKED}1\r\n{{}}}}\r\n0\r\n\r\n"),
    "a trailer that may be none": (400, f"{CHUNKED}2\r\n{{}}\r\n0\r\nHost: x\r\n\r\n"),
}


@pytest.mark.parametrize(("status", "request_text"), REFUSED.values(), ids=REFUSED)
def test_a_request_that_is_no_http_is_refused_with_a_problem_document(
    port: int, status: int, request_text: str
) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as connection:
        connection.sendall(request_text.encode())
        answer = HTTPResponse(connection)
        answer.begin()
        problem = json.loads(answer.read())

    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert problem.keys() == {"type", "title", "status", "detail", "instance"}
    assert problem["status"] == status


@pytest.mark.skipif(not hasattr(socket, "TCP_DEFER_ACCEPT"), reason="only Linux accepts a connection with its request")
def test_idle_connections_take_no_thread(port: int) -> None:
    with ExitStack() as idle:
        for _ in range(100):
            idle.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=20)))

        connection = idle.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=20)))
        connection.request("GET", "/healthz")
        answer = connection.getresponse()

    assert answer.status == 200


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = ports.any_free()
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "compose" / "gunicorn.conf.py")]
    command += ["--chdir", str(ROOT), "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-tmp-dir", str(tmp_path_factory.mktemp("worker")), "wsgi:app"]
    served = subprocess.Popen(command, env={**os.environ, **ENVIRONMENT})
    try:
        wait_until(lambda: ports.is_taken(port) or served.poll() is not None)
        assert served.returncode is None, "gunicorn ended"
        yield port
    finally:
        served.terminate()
        served.wait(timeout=30)
