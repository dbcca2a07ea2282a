"""OpenTelemetry traces of requests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue
from threading import Thread
from urllib.request import urlopen

import pytest
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from app.config import Config
from groundwork.system import ports
from groundwork.testing.service import Database, wait_until
from tests.accounts import ADA


def test_a_request_is_a_span_and_its_statements_are_parts_of_it(
    client: FlaskClient, spans: InMemorySpanExporter
) -> None:
    client.get("/api/products/1?customer=ada@example.com", headers={"X-Request-ID": "mine"})

    statement, whole = spans.get_finished_spans()
    assert (whole.name, whole.kind) == ("GET /api/products/<id:product_id>", SpanKind.SERVER)
    assert whole.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 404,
        "http.route": "/api/products/<id:product_id>",
        "request.id": "mine",
        "url.path": "/api/products/1",
    }
    assert (statement.name, statement.kind, statement.parent) == ("SELECT", SpanKind.CLIENT, whole.context)
    assert str(told(statement)["db.query.text"]).startswith("SELECT products.")
    assert whole.status.status_code == StatusCode.UNSET


def test_one_that_is_part_of_something_larger_says_so(client: FlaskClient, spans: InMemorySpanExporter) -> None:
    trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

    client.get("/api/nosuch", headers={"traceparent": f"00-{trace}-{caller}-01"})

    [whole] = spans.get_finished_spans()
    assert whole.parent
    assert (f"{whole.parent.trace_id:032x}", f"{whole.parent.span_id:016x}") == (trace, caller)
    assert whole.name == "GET"


def test_what_fails_is_marked_and_tells_no_value(client: FlaskClient, spans: InMemorySpanExporter) -> None:
    for _ in range(2):
        client.post("/api/users", json=ADA)

    failed = [each for each in spans.get_finished_spans() if each.status.status_code == StatusCode.ERROR]
    assert [(each.name, told(each)["db.response.status_code"]) for each in failed] == [("INSERT", "23505")]
    assert "ada@example.com" not in "".join(each.to_json() for each in spans.get_finished_spans())


def test_a_failure_of_the_service_is_marked(app: Flask, client: FlaskClient, spans: InMemorySpanExporter) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False  # as production has it
    app.add_url_rule("/broken", view_func=lambda: 1 / 0)  # type: ignore[arg-type]

    client.get("/broken")
    client.get("/api/products")

    assert [each.status.status_code for each in spans.get_finished_spans() if each.kind == SpanKind.SERVER] == [
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]


def test_questions_about_health_are_not_traced(client: FlaskClient, spans: InMemorySpanExporter) -> None:
    assert client.get("/readyz").status_code == 200

    assert spans.get_finished_spans() == ()


def test_spans_arrive_where_the_configuration_says(app: Flask, client: FlaskClient, collector: "Collector") -> None:
    client.get("/api/products", headers={"X-Request-ID": "mine"})
    app.extensions["tracing"].provider.force_flush()

    [sent] = ExportTraceServiceRequest.FromString(collector.bodies.get(timeout=10)).resource_spans
    service = {each.key: each.value.string_value for each in sent.resource.attributes}
    assert (service["service.name"], service["service.version"]) == (Config.service, "1.2.3")
    assert [span.name for span in sent.scope_spans[0].spans] == ["SELECT", "GET /api/products"]


def test_of_many_requests_a_share_is_traced(database: Database, collector: "Collector") -> None:
    database.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "TRACED_PERCENT": "1"}
    app = database.app()
    spans = InMemorySpanExporter()
    app.extensions["tracing"].provider.add_span_processor(SimpleSpanProcessor(spans))

    for _ in range(200):
        app.test_client().get("/api/nosuch")
    app.test_client().get("/api/products", headers={"traceparent": f"00-{1:032x}-{1:016x}-01"})

    names = [each.name for each in spans.get_finished_spans()]
    assert names.count("GET") < 20
    assert names[-1] == "GET /api/products"
    app.extensions["tracing"].provider.shutdown()


def test_the_processes_that_gunicorn_forks_send_theirs(database: Database, collector: "Collector") -> None:
    port = ports.any_free()
    own = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    command += ["--graceful-timeout", "1", "wsgi:app"]  # who is told to end while it is being forked does not hear it
    served = subprocess.Popen(command, env={**os.environ, **database.environment, **own})
    try:
        wait_until(lambda: ports.is_taken(port))
        with urlopen(f"http://127.0.0.1:{port}/api/products") as answer:
            assert answer.status == 200

        # A statement's may be sent before the request's, which ends later.
        assert any(b"GET /api/products" in body for body in iter(lambda: collector.bodies.get(timeout=10), b""))
    finally:
        served.terminate()
        served.wait(timeout=30)


def told(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


class Collector(HTTPServer):
    """Collector that accepts spans and keeps their bodies."""

    bodies: "SimpleQueue[bytes]"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    class Handler(BaseHTTPRequestHandler):
        server: "Collector"

        def do_POST(self) -> None:
            self.server.bodies.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass


def test_without_its_packages_a_line_names_the_group_to_install(database: Database) -> None:
    script = "import sys; sys.modules['opentelemetry'] = None; from flask.cli import cli; cli(['routes'])"

    refused = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **database.environment, "FLASK_APP": "wsgi", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert refused.returncode != 0
    assert "OTEL_EXPORTER_OTLP_ENDPOINT: needs the dependency group tracing, which is not installed" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector(("127.0.0.1", 0), Collector.Handler) as collector:
        collector.bodies = SimpleQueue()
        Thread(target=collector.serve_forever, args=[0.01]).start()
        yield collector
        collector.shutdown()


@pytest.fixture
def app(database: Database, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=1.2.3")  # as the image has it
    database.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.address
    app = database.app()
    yield app
    app.extensions["tracing"].provider.shutdown()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def spans(app: Flask) -> InMemorySpanExporter:
    spans = InMemorySpanExporter()
    app.extensions["tracing"].provider.add_span_processor(SimpleSpanProcessor(spans))
    return spans
