"""Measurement of the app's calls, or of one statement: repeated, in transactions that are rolled back."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from flask import Flask
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from groundwork.contract import PROJECT, import_part
from groundwork.scenarios.explain import calls, plans
from groundwork.scenarios.explain.plans import Plan
from groundwork.scenarios.explain.query import Query

RUNS = 5
WARMUP_RUNS = 1  # not counted: it reads pages that are not in memory yet


class UnknownCall(Exception):
    """The app has no call of this name."""


def app_calls(only: str = "") -> list[Query]:
    """Measure all calls, or the named one. Raises UnknownCall with the known names, and what a call raises."""
    app = _create_app()
    with _capturing(app) as (connection, captured, large):
        with Session(connection) as session:
            known = list(calls.find_all(app, session, import_part(PROJECT.calls)))
        connection.rollback()
        found = [call for call in known if only in ("", call.name)]
        if not found:
            raise UnknownCall(f"there is no call {only}; the calls are {', '.join(call.name for call in known)}")
        return [query for call in found for query in _queries(call.name, large, _run(call, connection, captured))]


def statement(sql: str) -> list[Query]:
    """Measure a statement and roll back its changes. Raises what PostgreSQL raises."""
    with _capturing(_create_app()) as (connection, captured, large):
        call = calls.Call("SQL", lambda session: session.connection().exec_driver_sql(sql))
        return _queries("SQL", large, _run(call, connection, captured))


def _create_app() -> Flask:
    app: Flask = import_part(PROJECT.application)(os.environ["FLASK_CONFIG"])
    return app


@contextmanager
def _capturing(app: Flask) -> Iterator[tuple[Connection, list[Plan], set[str]]]:
    """Yield a connection, the list that captures the plans of all connections, and the names of large tables."""
    with (
        app.app_context()
    ):  # not around the calls: a request would reuse the session, and the plan, of the previous one
        engine: Engine = import_part(PROJECT.database).engine
    try:
        with plans.capture(engine) as captured, engine.connect() as connection:
            large = plans.large_tables(connection)
            connection.rollback()
            yield connection, captured, large
    finally:
        engine.dispose()


def _run(call: calls.Call, connection: Connection, captured: list[Plan]) -> list[list[Plan]]:
    """Return the plans of each run."""
    runs = []
    for _ in range(WARMUP_RUNS + RUNS):
        captured.clear()
        with Session(connection) as session:
            call.issue(session)
        connection.rollback()
        runs.append(list(captured))
    return runs[WARMUP_RUNS:]


def _queries(call: str, large: set[str], runs: list[list[Plan]]) -> list[Query]:
    """Combine the runs of each statement into a query with the median time."""
    return [
        Query(
            call,
            number,
            same[-1].table,
            same[-1].sql,
            median(plan.milliseconds for plan in same),
            same[-1].rows,
            same[-1].buffers,
            same[-1].main_node,
            same[-1].warnings(large),
        )
        for number, same in enumerate(zip(*runs, strict=True), 1)
    ]
