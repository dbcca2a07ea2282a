"""Prometheus metrics of the service; imported only if METRICS_PORT is set."""

from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # nginx times out after 10

REQUESTS = Counter("http_requests", "Requests that were answered", ["method", "route", "status"])
DURATION = Histogram("http_request_duration_seconds", "How long they took", ["route"], buckets=SECONDS)
IN_WORK = Gauge("http_requests_in_work", "Requests that are being answered", multiprocess_mode="livesum")
LIMIT = Gauge("database_connections_limit", "Connections that may be in use at once", multiprocess_mode="livesum")
IN_USE = Gauge("database_connections_in_use", "Connections that work for somebody", multiprocess_mode="livesum")
WAITING = Gauge("database_connections_awaited", "Who has asked for one and waits", multiprocess_mode="livesum")
TIMEOUTS = Counter("database_connections_refused", "Who waited in vain for one")


class MeasuredPool(QueuePool):
    def connect(self) -> PoolProxiedConnection:
        LIMIT.set(self.size())
        with WAITING.track_inprogress():
            try:
                connection = super().connect()
            except NoConnectionFree:
                TIMEOUTS.inc()
                raise
        connection.record_info["in use"] = True  # type: ignore[index]  # None only after it has left the pool for good
        IN_USE.inc()
        return connection


def init_app(app: Flask) -> None:
    """Install the metrics; call this before `db.init_app`, since it chooses the connection pool."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"]["poolclass"] = MeasuredPool
    app.after_request(_count)
    serve = app.wsgi_app

    def counted(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with IN_WORK.track_inprogress():
            return serve(environ, start_response)

    app.wsgi_app = counted  # type: ignore[method-assign]  # as Flask documents it


def _count(response: Response) -> Response:
    """Count by route template and known method: clients can invent any number of paths and methods."""
    route = request.url_rule.rule if request.url_rule else "unknown"
    method = request.method if request.method in METHODS else "unknown"
    REQUESTS.labels(method, route, response.status_code).inc()
    DURATION.labels(route).observe(perf_counter() - g.began)
    return response


@event.listens_for(MeasuredPool, "checkin")
def _given_back(_connection: object, entry: ConnectionPoolEntry) -> None:
    """Count a returned connection; the pool also reports those that were never handed out, after a failed connect."""
    if entry.record_info and entry.record_info.pop("in use", False):
        IN_USE.dec()
