"""Parts of `inv bench.prod` that decide its result: figures, messages, and the differences between the stacks."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest

from packages.groundwork.benchmarks.measure import Experiment, Failed, Measured, steps
from packages.groundwork.benchmarks.production import client, variants
from packages.groundwork.benchmarks.production.client import Answers, Plan
from packages.groundwork.benchmarks.production.stacks import Variant, overlay
from packages.groundwork.benchmarks.production.turns import Figures, Turns

SERVICES: dict[str, Any] = {
    "web": {"environment": {"GUNICORN_WORKERS": "2"}},
    "migrate": {"environment": {}},
    "proxy": {"healthcheck": {"start_period": "60s"}},
}


def test_the_client_counts_what_is_answered(server: Server) -> None:
    answers = client.measure(Plan(server.server_port, [client.get("/"), client.post("/", {})], 0.3, connections=2))

    assert answers.per_second == len(answers.latencies) / 0.3 > 10
    assert 0 < answers.percentile(50) <= answers.percentile(99) < 300


def test_an_answer_that_is_no_success_is_no_figure(server: Server) -> None:
    with pytest.raises(Failed, match="'404': "):
        client.measure(Plan(server.server_port, [client.get("/"), client.get("/missing")], 0.2, connections=1))


def test_it_sends_no_more_than_it_is_told_and_ends_then(server: Server) -> None:
    began = time.monotonic()

    client.measure(Plan(server.server_port, [client.get("/missing")], 60, connections=3, at_most=10, accepted="24"))

    assert len(server.asked) == 10
    assert time.monotonic() - began < 30


def test_what_is_to_be_done_once_has_a_key_of_its_own_each_time(server: Server) -> None:
    for _ in range(2):
        client.measure(Plan(server.server_port, [client.post("/", {}, once=True)], 60, connections=2, at_most=10))

    keys = [headers["Idempotency-Key"] for headers in server.asked]
    assert len(set(keys)) == len(keys) == 20


def test_what_was_not_answered_took_as_long_as_was_measured() -> None:
    assert Answers(seconds=2).percentile(99) == 2000
    assert Answers(seconds=2).per_second == 0


def test_percentiles_are_in_milliseconds() -> None:
    answers = Answers(seconds=1, latencies=[number / 1000 for number in range(101)])

    assert (answers.percentile(50), answers.percentile(99)) == pytest.approx((50, 99))


def test_a_turn_is_taken_once_and_told_to_all_experiments_by_rounds() -> None:
    taken: list[str] = []

    def take(variant: Variant) -> Figures:
        taken.append(variant.name)
        return {"first": len(taken), "second": -len(taken)}

    both = [Variant("one"), Variant("other")]
    turns = Turns(take, ours=both[:1])
    told = []
    for figure in ("first", "second"):
        experiment = Experiment(figure, "", "", "", [turns.contender(each, figure) for each in both])
        told.append(Measured(experiment))
        for _ in range(2):
            list(steps(experiment, told[-1]))

    assert taken == ["one", "other", "one", "other"]
    assert [each.samples for each in told] == [
        {"one": [1, 3], "other": [2, 4]},
        {"one": [-1, -3], "other": [-2, -4]},
    ]
    assert [each.ours for each in told[0].experiment.contenders] == [True, False]


def test_a_contender_differs_in_what_is_compared_alone() -> None:
    services, networks = _parts(overlay(variants.TUTORIAL, SERVICES, "the-project"))

    assert services["web"]["command"][-3:] == ["-b", "0.0.0.0", "wsgi:app"]  # noqa: S104  in there
    assert services["proxy"]["entrypoint"] == ["sh", "/contender/tutorial.sh"]
    assert services["web"]["environment"] == SERVICES["web"]["environment"]
    assert "name: the-project_data" in networks


def test_a_replica_count_alone_changes_no_command() -> None:
    services, _ = _parts(overlay(variants.GROWTH[0], SERVICES, "the-project"))

    assert "command" not in services["web"]
    assert "entrypoint" not in services["proxy"]


def test_every_contender_has_a_name_of_its_own() -> None:
    every = [variants.OURS, *(each for group in variants.TOGETHER for each in group)]

    assert len({each.name for each in every}) == len(every)
    assert [each.name for each in every if each.is_ours] == [variants.OURS.name]


def _parts(yaml: str) -> tuple[dict[str, dict[str, Any]], str]:
    _, services, *others = yaml.splitlines()
    return json.loads(services.removeprefix("services: ")), "\n".join(others)


class Server(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Shop)
        self.asked: list[Message] = []
        """The headers of each request."""


class Shop(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.headers)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815  so the library calls them

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()
