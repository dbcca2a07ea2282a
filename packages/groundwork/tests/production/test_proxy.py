"""Responses of nginx itself, with the production configuration and almost no upstream."""

import json
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from groundwork.configuration import loader
from groundwork.production import stack
from groundwork.system import docker as engine
from groundwork.system import paths as project
from groundwork.testing.service import wait_until

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
HOST = "Host: shop\r\n"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_page(self) -> bool:
        return self.headers["Content-Type"] == "text/html" and b"This did not get through" in self.body

    @property
    def problem(self) -> Any:
        assert self.headers["Content-Type"] == "application/problem+json"
        return json.loads(self.body)


@dataclass(frozen=True)
class Proxy:
    port: int
    network: str
    container: str

    def ask(self, raw: str) -> Answer:
        """Send a raw request, valid or not, and return the response."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=20)) as connection:
            connection.sendall(raw.encode())
            answered = HTTPResponse(connection)
            answered.begin()
            return Answer(answered.status, dict(answered.getheaders()), answered.read())


REFUSED = {
    400: "GET {} HTTP/1.1\r\n\r\n",  # no host
    405: f"TRACE {{}} HTTP/1.1\r\n{HOST}\r\n",
    413: f"POST {{}} HTTP/1.1\r\n{HOST}Content-Length: 1000000\r\n\r\n",
    414: f"GET {{}}?{'x' * 9000} HTTP/1.1\r\n{HOST}\r\n",
    431: f"GET {{}} HTTP/1.1\r\n{HOST}X-Long: {'x' * 9000}\r\n\r\n",
    501: f"POST {{}} HTTP/1.1\r\n{HOST}Transfer-Encoding: unheard-of\r\n\r\n",
    502: f"GET {{}} HTTP/1.1\r\n{HOST}\r\n",
    505: f"GET {{}} HTTP/3.0\r\n{HOST}\r\n",
}
"""Request by expected status."""
NO_HTTP = {
    "a method in lower case": f"get {{}} HTTP/1.1\r\n{HOST}\r\n",
    "a whole address": f"TRACE http://shop{{}} HTTP/1.1\r\n{HOST}\r\n",
    "an encoded address": f"TRACE /%61pi/orders HTTP/1.1\r\n{HOST}\r\n",
    "two lengths": f"GET {{}} HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length and chunks": f"GET {{}} HTTP/1.1\r\n{HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
}
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
ELSEWHERE = {"405": {"$ref": "#/components/responses/MethodNotAllowed"}}
"""Responses for operations that do not exist."""


@pytest.mark.engine
@pytest.mark.parametrize("status", REFUSED)
def test_a_program_gets_a_problem_and_a_person_a_page(proxy: Proxy, status: int) -> None:
    to_a_program = proxy.ask(REFUSED[status].format("/api/orders"))
    to_a_person = proxy.ask(REFUSED[status].format("/orders"))

    told = to_a_program.problem
    assert told.pop("title")
    assert told.pop("detail")
    assert told == {"type": "about:blank", "status": status, "instance": "/api/orders"}
    assert to_a_person.is_page
    for answer in (to_a_program, to_a_person):
        assert answer.status == status
        assert answer.headers["X-Request-ID"]
        assert answer.headers.get("Retry-After") == ("1" if status == 502 else None)


@pytest.mark.engine
@pytest.mark.parametrize(
    "status", sorted(REFUSED.keys() - {400, 501, 505})
)  # which no client that speaks HTTP/1.1 can cause
def test_what_it_answers_is_in_the_document_of_the_api(status: int) -> None:
    whole = json.loads((project.ROOT / "openapi.json").read_text("utf-8"))
    method = REFUSED[status].split()[0].lower()
    by_status = whole["paths"]["/api/orders"].get(method, {}).get("responses", ELSEWHERE)

    promised = by_status[str(status)]["$ref"].rpartition("/")[2]

    assert "application/problem+json" in whole["components"]["responses"][promised]["content"]


@pytest.mark.engine
@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/api", "/api?x=1", "/api/docs/no-such-script.js"])
def test_what_else_is_for_programs(proxy: Proxy, address: str) -> None:
    answer = proxy.ask(f"GET {address} HTTP/1.1\r\n{HOST}\r\n")

    assert answer.problem["status"] == answer.status
    assert answer.problem["instance"] == address.partition("?")[0]


@pytest.mark.engine
@pytest.mark.parametrize("address", ["/apis", "/problem", "/desk/no-such-style.css", "/drainz"])
def test_what_is_not(proxy: Proxy, address: str) -> None:
    assert proxy.ask(f"GET {address} HTTP/1.1\r\n{HOST}\r\n").is_page


@pytest.mark.engine
@pytest.mark.parametrize("address", ['/api/"', "/api/\\", "/api/caf\u00e9", "/api/%22", "/api/" + "x" * 2000])
def test_whatever_the_address_the_problem_is_json(proxy: Proxy, address: str) -> None:
    answer = proxy.ask(f"GET {address} HTTP/1.1\r\n{HOST}\r\n")

    assert answer.problem["status"] == answer.status
    assert answer.problem["instance"].startswith("/api/")


@pytest.mark.engine
@pytest.mark.parametrize("request_text", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_gets_a_problem_document_too(proxy: Proxy, request_text: str) -> None:
    answer = proxy.ask(request_text.format("/api/orders"))

    assert answer.problem["status"] == answer.status
    assert answer.status in (400, 405)


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
def test_the_service_is_ready_while_one_of_its_replicas_is_drained(proxy: Proxy) -> None:
    with replica(proxy, DRAINED), replica(proxy, READY):
        wait_until(lambda: {answered(proxy), answered(proxy)} == {"ready", "drained"})

        statuses = {proxy.ask(f"GET /readyz HTTP/1.1\r\n{HOST}\r\n").status for _ in range(20)}

    assert statuses == {200}


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


def wait_until_nothing_serves(proxy: Proxy) -> None:
    """Wait until nginx has dropped the replicas of other tests."""
    wait_until(lambda: proxy.ask(f"GET /api/orders HTTP/1.1\r\n{HOST}\r\n").status == 502)


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


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Run nginx without a replica."""
    settings = loader.load("production", missing_secrets="show")
    values = {name: value for name, value in stack.variables(settings).items() if name.startswith("PROXY_")}
    # A slow machine sends more than ten requests a second too.
    values = {**values, "PROXY_UPSTREAM_READ_S": "1", "PROXY_WRITES_PER_SECOND": "10", "PROXY_WRITES_BURST": "300"}
    network = f"{project.compose_project()}-{secrets.token_hex(4)}"
    docker("network", "create", network)
    try:
        started = docker(
            *("run", "--detach", "--rm", "--network", network, "--publish", "127.0.0.1::8080"),
            *("--read-only", "--tmpfs", "/tmp:mode=1777", "--user", engine.user()),  # noqa: S108  the container's own
            *(f"--env={name}={value}" for name, value in values.items()),
            *("--volume", f"{project.ROOT}/compose/nginx:/etc/nginx/proxy:ro"),
            *("--volume", f"{project.ROOT}/packages/groundwork/src/groundwork/flask/http/static:/static:ro"),
            *("--entrypoint", "sh", settings.images.nginx, "/etc/nginx/proxy/start.sh"),
        ).strip()
        try:
            port = int(docker("port", started, "8080").rpartition(":")[2])
            wait_for(port)
            yield Proxy(port, network, started)
        finally:
            docker("rm", "--force", started)
    finally:
        docker("network", "rm", network)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()


def docker(*arguments: str) -> str:
    return subprocess.check_output(["docker", *arguments], text=True)
