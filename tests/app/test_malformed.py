"""Malformed requests to any route never get a 500; below /api, every refusal is a problem document."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from groundwork.flask.http.openapi import operation
from tests.app.conftest import PASSWORD

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"

LONG = "x" * 8_000
TEXTS = [
    "",
    " ",
    "\0",
    "x\0y",
    "\x80\x9b",
    "\u202e\u2028",
    "\ufeff",
    "\U0010ffff",
    "٣",
    "\uff11\uff12",
    "²",
    "-1",
    "+1",
    "1_0",
    "1e400",
    "NaN",
    "Infinity",
    "0x10",
    "1.0",
    str(2**31),
    str(2**63),
    str(2**64),
    "9" * 5_000,
    "[",
    "http://[",
    "{{7*7}}",
    "%s%n",
    "../../etc/passwd",
    LONG,
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "1e18",
    "-99999999999999",
]
RAW = [
    "%00",
    "%FF",
    "%C0%80",
    "%ED%A0%80",
    "%",
    "%zz",
    "%25%30%30",
    "%0d%0a",
    "\xff",
    "\xe9",
    "\x9b",
    "+",
    "%F4%90%80%80",
]
"""Raw values for URLs and forms: NUL, invalid UTF-8, a lone surrogate, half an escape, bytes beyond ASCII."""

HEADERS = {
    "If-Match": ["", '"', "*", 'W/"', '"x', "W/x", ",,,", '"\xff"', f'"{LONG}"', '"a", ' * 500],
    "If-None-Match": ["", '"', "*", "\xff", '"a", ' * 500],
    "If-Modified-Since": ["x", "Thu, 01 Jan 1970 00:00:00 +99999999", "Thu, 99 Jan 99999 99:99:99 GMT", "٣"],
    "If-Unmodified-Since": ["Thu, 01 Jan 1970 00:00:00 -99999999", "\xff"],
    "If-Range": ["Thu, 01 Jan 1970 00:00:00 +99999999", '"', "W/"],
    "Range": ["bytes=", "bytes=-", "bytes=9-1", "bytes=0-" + "9" * 5_000, "bytes=\xb2-", "x=1-2",
        "bytes=0-1,3-4", "bytes=-0"],
    "Idempotency-Key": ["", '"', '""', "\xff", "x y", LONG, "\x01"],
    "Authorization": ["", "Bearer", "Bearer \xff", "Basic \xff", "Basic ====", "Digest x=", ",", LONG],
    "Content-Type": ["", ";", "x", "/", "application/json; charset=\xff", "application/json; charset=utf-16",
        "\xff/\xff",
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 500,
        "multipart/form-data; boundary=\xff", "application/x-www-form-urlencoded; charset=nonsense",
        "application/+json"],
    "Content-Length": ["-1", "x", "\xb2", "9" * 30, "1.5", "", "+5"],
    "Content-Encoding": ["gzip", "nonsense"],
    "Accept": ["", ";q=", "*/*;q=x", "text/html;q=99999999999", "\xff", ",,,", "*/*;q=\xb2"],
    "Accept-Language": ["\xff", ";", "en;q=nan"],
    "Cookie": ["", "=", "session", "session=", "session=\xff", "session=.eJw.x.y", "session=a.b.c", ";;;",
        f"session={LONG}",
        'session="\\377"', "session=eyJ0b2tlbiI6MX0.x.y", "__Host-session=x"],
    "Origin": ["null", "http://[", "http://[::1", "\xff", "://", "http://x:y", "//"],
    "Referer": ["http://[", "\xff"],
    "Host": ["", "[", "[::1", "x:y", "\xff", "a b", "x:99999999", "/", "localhost\\@x", "..", "x" * 300],
    "X-Forwarded-For": ["\xff", "x", "1.2.3.4, , ,", "[::1", LONG],
    "X-Forwarded-Proto": ["\xff", "javascript", ""],
    "X-Request-ID": ["\xff", "x" * 500, ""],
    "traceparent": ["\xff", "00-0-0-0"],
    "Transfer-Encoding": ["chunked", "\xff"],
    "Expect": ["100-continue", "x"],
    "Date": ["\xff"],
    "Cache-Control": ["max-age=x", "\xff", "max-age=\xb2"],
    "X-HTTP-Method-Override": ["TRACE"],
}  # fmt: skip
BODIES = [b"", b"\0", b"\xff\xfe", b"{", b"[]", b"null", b"1", b'"\\ud800"', b'{"\\ud800": 1}', b"{" + b"[" * 5_000,
    b"--x\r\n",
    b"--x\r\nContent-Disposition: form-data; name=\"email\"; filename*=utf-8''%ff\r\n\r\nx\r\n--x--\r\n",
    b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--", b"\xff=\xff&=&&=%00&%zz=%", b"a&" * 5_000]  # fmt: skip
VALUES: list[object] = [
    None,
    True,
    -1,
    0,
    1.5,
    2**31 - 1,
    2**31,
    2**63 - 1,
    2**63,
    2**64,
    10**400,
    [],
    {},
    [[]],
    *TEXTS,
]
FIELDS: dict[str, object] = {
    "email": "new@example.com",
    "name": "New",
    "password": PASSWORD,
    "days": 1,
    "sku": "NEW-1",
    "price_cents": 1,
    "price": "1.00",
    "stock": 1,
    "status": "paid",
    "lines": [{"product_id": 1, "quantity": 1}],
    "user_id": 1,
    "seen": "x",
    "next": "/",
    "q": "1",
    "since": "2026-01-01",
    "until": "2026-01-01",
    "cursor": "x",
    "limit": "1",
}
"""Fields of all forms, bodies and queries; a route uses the ones that it knows."""
QUERY = ("limit", "cursor", "q", "since", "until", "status", "user_id")
"""Parameters of all pages."""


class Sent(NamedTuple):
    what: str
    environ: dict[str, Any]


@pytest.mark.parametrize("kind", ["address", "query", "header", "method", "body", "json", "form"])
def test_no_malformed_request_is_answered_with_a_500(
    client: FlaskClient, signed_in: Mapping[str, str], kind: str
) -> None:
    wrong = []
    with client.application.app_context():
        requests = list(every(client.application, signed_in, kind))
    for sent in requests:
        body, status, headers = run_wsgi_app(client.application, sent.environ, buffered=True)
        code = int(status.split()[0])
        answer = Response(body, status, headers)
        is_problem = answer.mimetype == "application/problem+json"
        if code >= 500 or (code >= 400 and sent.environ["PATH_INFO"].startswith("/api") and not is_problem):
            wrong.append(f"{code} {answer.mimetype}: {sent.what[:300]}")

    assert requests
    assert wrong == []


def every(app: Flask, signed_in: Mapping[str, str], kind: str) -> Iterator[Sent]:
    """Yield the requests of a kind for each route and method, with full access."""
    for rule in app.url_map.iter_rules():
        path = PARAMETER.sub(lambda found: signed_in.get(found[1], "1"), rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for what, changes in changed(kind, rule.rule, rule.endpoint, method):
                yield Sent(f"{method} {rule.rule}: {what}", environ(method, path, signed_in, changes))


def changed(kind: str, rule: str, endpoint: str, method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield differences from a valid request, as keys of its WSGI environ."""
    promised = operation.find(current_app.view_functions[endpoint])
    names = promised.query.model_fields if promised and promised.query else QUERY if promised is None else ()
    query = (f"{name}={each}" for name in (*names, "x") for each in (*map(quote, TEXTS), *RAW))
    if kind == "address":
        for each in (*TEXTS, *RAW, "1/1", "1.0", "1;x", "//", "..", "1 "):
            address = each.join(PARAMETER.sub("\n", rule).split("\n")) if PARAMETER.search(rule) else rule + each
            yield repr(each), {"PATH_INFO": address.encode().decode("latin-1")}
        yield "bytes", {"PATH_INFO": f"{PARAMETER.sub('1', rule)}\xff\xed\xa0\x80"}
    elif kind == "query" and method == "GET" and not PARAMETER.search(rule):
        repeated = [
            "limit=1&limit=2",
            "limit=1&limit=x",
            "cursor=x&cursor",
            "&&&",
            "=",
            "limit",
            "q=1&q=\0",
            "a&" * 4_000,
        ]
        yield from ((each, {"QUERY_STRING": each}) for each in (*query, *repeated))
    elif kind == "header":
        for name, values in HEADERS.items():
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            yield from ((f"{name}: {each!r}", {key: each}) for each in values)
    elif kind == "method":
        yield from (
            (each, {"REQUEST_METHOD": each}) for each in ("TRACE", "PROPFIND", "", "get", "\xff", LONG, "CONNECT")
        )
    elif method == "GET":
        return
    elif kind == "body":
        for content_type in (JSON, FORM, "multipart/form-data; boundary=x"):
            yield from ((f"{content_type} {each[:50]!r}", body(each, content_type)) for each in BODIES)
    elif (kind == "json") == rule.startswith("/api"):
        taken = promised.body.model_fields if promised and promised.body else () if kind == "json" else FIELDS
        sound = {name: FIELDS.get(name, "1") for name in taken}
        for name in sound:
            for value in VALUES:
                sent = {**sound, name: value}
                form = "&".join(f"{key}={quote(str(each))}" for key, each in sent.items())
                as_json = body(json.dumps(sent).encode(), JSON)
                yield f"{name}={value!r}", as_json if kind == "json" else body(form.encode(), FORM)


def body(content: bytes, content_type: str) -> dict[str, Any]:
    return {"body": content, "CONTENT_TYPE": content_type}


def environ(method: str, path: str, signed_in: Mapping[str, str], changes: dict[str, Any]) -> dict[str, Any]:
    content = changes.pop("body", f"csrf_token={signed_in['token']}".encode() if method != "GET" else b"")
    if content and changes.get("CONTENT_TYPE") == FORM:
        content = b"csrf_token=" + signed_in["token"].encode() + b"&" + content
    builder = EnvironBuilder(path, method=method, data=content, content_type=FORM if content else None)
    made = builder.get_environ()
    return {**made, "HTTP_AUTHORIZATION": signed_in["authorization"], "HTTP_COOKIE": signed_in["cookie"], **changes}
