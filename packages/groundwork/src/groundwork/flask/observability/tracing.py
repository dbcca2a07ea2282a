"""OpenTelemetry tracing: a span for each request and one for each of its statements.

It is imported only if OTEL_EXPORTER_OTLP_ENDPOINT is set, which the exporter reads by itself, and needs the dependency
group `tracing`.
"""

from typing import Any

from flask import Flask, Response, g, request
from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext


def init_app(app: Flask, service: str, percent: int) -> None:
    """Install tracing; call this after the `init_app` of db and of request_logging, which sets the request id."""
    provider = TracerProvider(
        ParentBased(TraceIdRatioBased(percent / 100)), resource=Resource.create({"service.name": service})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracing = app.extensions["tracing"] = Tracing(provider)
    app.before_request(tracing.begin)
    app.after_request(tracing.name)
    app.teardown_request(tracing.end)
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", tracing.begin_statement)
    event.listen(engine, "after_cursor_execute", tracing.end_statement)
    event.listen(engine, "handle_error", tracing.fail_statement)


class Tracing:
    """Spans without values and exception messages, which hold e-mail addresses; the log has both, by request id."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self._tracer = provider.get_tracer(__name__)

    def begin(self) -> None:
        """Start the request's span, as part of the client's trace if the request names one."""
        if request.blueprint == "health":
            return
        told = {"http.request.method": request.method, "url.path": request.path, "request.id": g.request_id}
        g.span = self._tracer.start_span(request.method, propagate.extract(request.headers), SpanKind.SERVER, told)
        g.within = context.attach(trace.set_span_in_context(g.span))

    def name(self, response: Response) -> Response:
        """Name the span by the route template, which is known only if a route matched."""
        if span := _span():
            span.set_attribute("http.response.status_code", response.status_code)
            if request.url_rule:
                span.update_name(f"{request.method} {request.url_rule.rule}")
                span.set_attribute("http.route", request.url_rule.rule)
            if response.status_code >= 500:
                span.set_status(StatusCode.ERROR)
        return response

    def end(self, _error: BaseException | None) -> None:
        if span := _span():
            span.end()
            context.detach(g.within)

    def begin_statement(
        self, connection: Connection, _cursor: object, statement: str, _values: object, _context: object, _many: bool
    ) -> None:
        if trace.get_current_span().is_recording():  # within a traced request
            told = {"db.system.name": "postgresql", "db.query.text": statement}
            connection.info["span"] = self._tracer.start_span(statement.split()[0], None, SpanKind.CLIENT, told)

    def end_statement(self, connection: Connection, *_of_the_statement: Any) -> None:
        if span := connection.info.pop("span", None):
            span.end()

    def fail_statement(self, failure: ExceptionContext) -> None:
        if failure.connection and (span := failure.connection.info.pop("span", None)):
            span.set_attribute("db.response.status_code", getattr(failure.original_exception, "sqlstate", None) or "")
            span.set_status(StatusCode.ERROR)
            span.end()


def _span() -> Span | None:
    """Return the request's span; None for health checks, which are not traced."""
    span: Span | None = g.get("span")
    return span
