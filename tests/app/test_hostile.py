"""Malicious requests are refused and neither need nor keep much memory."""

import gc
import tracemalloc
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.accounts import clerk

LARGE = 10_000_000  # bytes: a body that is read whole takes more; a small request takes up to 7 MB, most in the client
WARM_UP, MEASURED = 2, 10
NOISE = 4_000  # bytes a request: a tenth of the smallest; the savepoints of the test's own session take a thousand

Hostile = Callable[[int], dict[str, Any]]
"""Factory of a request by number. All differ, because a cache would hide the memory kept for equal ones."""


class Endless(RawIOBase):
    """Request body of LARGE bytes, generated while it is read, so that only the reader needs memory."""

    def __init__(self) -> None:
        self._left = LARGE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self._left)
        buffer[:size] = b'"' * size
        self._left -= size
        return size


def posted(body: Callable[[int], bytes]) -> Hostile:
    return lambda number: {**POST, "data": body(number)}


def endless(**environ: object) -> Hostile:
    return lambda _number: {**POST, "environ_overrides": {"wsgi.input": Endless(), **environ}}


POST = {"method": "POST", "path": "/api/products", "content_type": "application/json"}
TOO_LONG, LONG = "9" * 50_000, "9" * 300
HOSTILE: dict[str, Hostile] = {
    "a body of 10 MB": endless(CONTENT_LENGTH=str(LARGE)),
    # As gunicorn hands it on: nobody has told how long it is.
    "a body of 10 MB in chunks": endless(CONTENT_LENGTH="", **{"wsgi.input_terminated": True}),
    "deep arrays": posted(lambda number: b"[" * 60_000 + b"%d" % number),
    "deep objects": posted(lambda number: b'{"%d":' % number * 8_000),
    "fields that are none": posted(
        lambda number: b"{%s}" % b",".join(b'"%d-%d-%s":1' % (number, n, LONG.encode()) for n in range(150))
    ),
    "broken UTF-8": posted(lambda number: b'{"name": "%d\xff%s"}' % (number, b"\xc3\x28" * 20_000)),
    "NUL": posted(lambda number: b'{"name": "%d%s"}' % (number, b"\\u0000" * 8_000)),
    "a huge integer": posted(lambda number: f'{{"stock": 1{number}{TOO_LONG}}}'.encode()),
    "a huge integer in an address": lambda number: {"path": f"/api/orders/1{number}{TOO_LONG}"},
    "an address of nothing": lambda number: {"path": f"/api/{number}/{TOO_LONG}"},
    "a method that is none": lambda number: {"path": "/api/orders", "method": f"M{number}{TOO_LONG}"},
    "parameters that are none": lambda number: {
        "path": "/api/orders",
        "query_string": "&".join(f"{number}-{each}={LONG}" for each in range(150)),
    },
    "a flood of headers": lambda number: {
        "path": "/api/orders/0",
        "headers": {f"X-{number}-{each}": f"{number}{LONG}" for each in range(150)},
    },
    "a flood of cookies": lambda number: {
        "path": "/api/orders/0",
        "headers": {"Cookie": "; ".join(f"{number}-{each}=x" for each in range(5_000))},
    },
    "a token that is none": lambda number: {
        "path": "/api/tokens",
        "headers": {"Authorization": f"Bearer token_{number}{TOO_LONG}"},
    },
    "a key that is none": lambda number: {
        **POST,
        "path": "/api/orders",
        "json": {"lines": [{"product_id": 1, "quantity": 1}]},
        "headers": {"Idempotency-Key": f"{number}{TOO_LONG}"},
    },
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_request_is_refused_takes_little_memory_and_leaves_none_taken(
    staff: FlaskClient, hostile: Hostile
) -> None:
    """The test measures Python's allocations, which are the same in each run, unlike the process's memory."""

    def ask(numbers: range) -> set[int]:
        return {staff.open(**hostile(number)).status_code for number in numbers}

    ask(range(WARM_UP))
    with traced_memory() as before:
        statuses = ask(range(WARM_UP, WARM_UP + MEASURED))
        _, peak = tracemalloc.get_traced_memory()
        forget_what_may_be_kept()
        after, _ = tracemalloc.get_traced_memory()

    assert {status // 100 for status in statuses} == {4}
    assert peak - before < LARGE
    assert after - before < MEASURED * NOISE


@contextmanager
def traced_memory() -> Iterator[int]:
    """Trace allocations, and yield the bytes that are allocated at the start."""
    tracemalloc.start()
    try:
        forget_what_may_be_kept()
        tracemalloc.reset_peak()
        yield tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def forget_what_may_be_kept() -> None:
    urllib.parse.clear_cache()  # type: ignore[attr-defined]  # of the last 128 addresses, which typeshed leaves out
    gc.collect()


@pytest.fixture
def staff(client: FlaskClient, session: Session) -> FlaskClient:
    client.environ_base["HTTP_AUTHORIZATION"] = clerk(session)["Authorization"]
    session.commit()
    return client
