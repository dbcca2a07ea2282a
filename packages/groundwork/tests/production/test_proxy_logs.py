"""Access log of nginx: no secrets, and no characters that a terminal obeys."""

import json
import socket
import subprocess
from contextlib import closing

import pytest

from packages.groundwork.tests.production.nginx import HOST, Proxy

SECRET = "token_" + "aB3" * 14
LOGGED = {
    "/api/orders/17": "/api/orders/17",
    "/api/orders?token=hunter2": "/api/orders",
    f"/api/{SECRET}": "[redacted]",
    "/api/users/ada@example.com": "[redacted]",
    "/api/users/ada%40example.com": "[redacted]",
    "/api/users/ada%2540example.com": "[redacted]",
    "/api/users/ada%252540example.com": "[redacted]",
    "/api/\u009b31m": "[redacted]",
    "/api/%C2%9B31m": "[redacted]",
    "/api/\u202exe": "[redacted]",
    "/api/%FF%FE": "[redacted]",
    "/api/%0Ax": "[redacted]",
}
"""Logged path by requested path."""


@pytest.mark.engine
def test_the_log_shows_neither_secrets_nor_what_a_terminal_obeys(proxy: Proxy) -> None:
    ids = [proxy.ask(f"GET {address} HTTP/1.1\r\n{HOST}\r\n").headers["X-Request-ID"] for address in LOGGED]
    broken = b"GET /api/\xff\xfe\x9b HTTP/1.1\r\nHost: sh\x9bop\r\nReferer: http://shop/?q=hunter2\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", proxy.port), timeout=20)) as connection:
        connection.sendall(broken)
        connection.recv(1000)

    log = subprocess.run(["docker", "logs", proxy.container], capture_output=True, check=True)
    lines = map(json.loads, log.stdout.decode("ascii").splitlines())
    paths = {line["request_id"]: line["path"] for line in lines}
    assert [paths[each] for each in ids] == list(LOGGED.values())
    assert log.stderr.isascii()
    assert not [each for each in ("hunter2", SECRET, "example.com") if each.encode() in log.stdout + log.stderr]
