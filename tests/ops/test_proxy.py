"""What nginx answers by itself, with the configuration of the production stack and hardly anything behind it."""

import json
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from ops import configuration, project, stack

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

    def ask(self, raw: str) -> Answer:
        """As it is typed, sensible or not."""
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
"""By the status that it must be."""
ELSEWHERE = {"405": {"$ref": "#/components/responses/MethodNotAllowed"}}
"""Where there is no such operation."""


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
def test_who_writes_too_often_is_told_when_to_come_again(proxy: Proxy) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: proxy.ask(f"POST /api/orders HTTP/1.1\r\n{HOST}\r\n"), range(300)))

    assert {answer.status for answer in answers} == {429, 502}
    assert {(answer.problem["status"], answer.headers["Retry-After"]) for answer in answers} == {(429, "1"), (502, "1")}


@pytest.mark.engine
def test_a_replica_that_says_nothing_is_given_up(proxy: Proxy) -> None:
    silent = docker(
        *("run", "--detach", "--rm", "--network", proxy.network, "--network-alias", stack.SERVING),
        *("python:3.13-slim", "python", "-c", LISTENS_AND_SAYS_NOTHING),
    ).strip()
    try:
        deadline = time.monotonic() + 20
        while (answer := proxy.ask(f"GET /api/orders HTTP/1.1\r\n{HOST}\r\n")).status == 502:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        docker("rm", "--force", silent)

    assert answer.problem["status"] == answer.status == 504
    assert answer.headers["Retry-After"] == "1"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """With no replica to ask."""
    settings = configuration.load("production", missing_secrets="show")
    values = {name: value for name, value in stack.variables(settings).items() if name.startswith("PROXY_")}
    values = {**values, "PROXY_UPSTREAM_READ_S": "1"}
    network = f"{project.compose_project()}-{secrets.token_hex(4)}"
    docker("network", "create", network)
    try:
        started = docker(
            *("run", "--detach", "--rm", "--network", network, "--publish", "127.0.0.1::8080"),
            *("--read-only", "--tmpfs", "/tmp:mode=1777", "--user", "10001:10001"),  # noqa: S108  the container's own
            *(f"--env={name}={value}" for name, value in values.items()),
            *("--volume", f"{project.ROOT}/compose/nginx:/etc/nginx/proxy:ro"),
            *("--volume", f"{project.ROOT}/app/desk/static:/static:ro"),
            *("--entrypoint", "sh", settings.images["nginx"], "/etc/nginx/proxy/start.sh"),
        ).strip()
        try:
            port = int(docker("port", started, "8080").rpartition(":")[2])
            wait_for(port)
            yield Proxy(port, network)
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
