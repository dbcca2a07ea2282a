"""What the service counts and measures, for Prometheus. It is loaded where METRICS_PORT is set, and nowhere else."""

from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from app.database import RequestSession
from app.orders import placed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # nginx gives an answer up after 10
PLACED = "orders placed"
"""In the session's `info`: of each order that is not committed yet, the transactions that it was placed in."""

REQUESTS = Counter("http_requests", "Requests that were answered", ["method", "route", "status"])
DURATION = Histogram("http_request_duration_seconds", "How long they took", ["route"], buckets=SECONDS)
IN_WORK = Gauge("http_requests_in_work", "Requests that are being answered", multiprocess_mode="livesum")
LIMIT = Gauge("database_connections_limit", "Connections that may be in use at once", multiprocess_mode="livesum")
IN_USE = Gauge("database_connections_in_use", "Connections that work for somebody", multiprocess_mode="livesum")
WAITING = Gauge("database_connections_awaited", "Who has asked for one and waits", multiprocess_mode="livesum")
TIMEOUTS = Counter("database_connections_refused", "Who waited in vain for one")
ORDERS = Counter("orders_placed", "Orders that were committed")


class MeasuredPool(QueuePool):
    def connect(self) -> PoolProxiedConnection:
        LIMIT.set(self.size())
        with WAITING.track_inprogress():
            try:
                connection = super().connect()
            except NoConnectionFree:
                TIMEOUTS.inc()
                raise
        connection.record_info["in use"] = True  # type: ignore[index]  # it is None where it left the pool for good
        IN_USE.inc()
        return connection


def init_app(app: Flask) -> None:
    """To be called before the database's, whose pool it chooses."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"]["poolclass"] = MeasuredPool
    app.after_request(_count)
    serve = app.wsgi_app

    def counted(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with IN_WORK.track_inprogress():
            return serve(environ, start_response)

    app.wsgi_app = counted  # type: ignore[method-assign]  # as Flask's documentation has it


def _count(response: Response) -> Response:
    """By the template of the route: of paths, anybody can make as many as they like. Of methods too."""
    route = request.url_rule.rule if request.url_rule else "unknown"
    method = request.method if request.method in METHODS else "unknown"
    REQUESTS.labels(method, route, response.status_code).inc()
    DURATION.labels(route).observe(perf_counter() - g.began)
    return response


@event.listens_for(MeasuredPool, "checkin")
def _given_back(_connection: object, entry: ConnectionPoolEntry) -> None:
    """The pool says so of one too that nobody ever got, since it could not be made."""
    if entry.record_info and entry.record_info.pop("in use", False):
        IN_USE.dec()


@placed.connect
def _note_order(session: Session) -> None:
    session.info.setdefault(PLACED, []).append(list(_transactions(session)))


@event.listens_for(RequestSession, "after_soft_rollback")
def _forget_orders(session: Session, undone: SessionTransaction) -> None:
    if noted := session.info.get(PLACED):
        session.info[PLACED] = [within for within in noted if undone not in within]


@event.listens_for(RequestSession, "after_commit")
def _count_orders(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint, which may be undone yet
        return
    if noted := session.info.pop(PLACED, ()):
        ORDERS.inc(len(noted))


def _transactions(session: Session) -> Iterator[SessionTransaction]:
    """The innermost savepoint that it is in, those around it, and the transaction itself."""
    transaction = session.get_nested_transaction() or session.get_transaction()
    while transaction:
        yield transaction
        transaction = transaction.parent
