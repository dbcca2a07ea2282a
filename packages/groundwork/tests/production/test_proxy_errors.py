"""Error responses of nginx itself: problem documents below /api, pages elsewhere."""

import json

import pytest

from groundwork.system import paths as project
from packages.groundwork.tests.production.nginx import HOST, Proxy

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
