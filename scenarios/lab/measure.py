"""Each of the app's calls, some times over, in transactions that are rolled back; and a statement given by hand."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from flask import Flask
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.database import db
from app.factory import create_app
from scenarios.lab import calls, plans
from scenarios.lab.plans import Plan
from scenarios.lab.query import Query

TIMES = 5
UNCOUNTED = 1  # the first reads what is not in memory yet


class NoSuchCall(Exception):
    """Nothing of the app is called like that."""


def of_the_app(only: str = "") -> list[Query]:
    """By default all of them. Raises NoSuchCall, which names those that there are, and what a call raises."""
    app = create_app(os.environ["FLASK_CONFIG"])
    with _laboratory(app) as (connection, reported, large):
        with Session(connection) as session:
            every = list(calls.every(app, session))
        connection.rollback()
        found = [call for call in every if only in ("", call.name)]
        if not found:
            raise NoSuchCall(f"nothing is called {only}; there are {', '.join(call.name for call in every)}")
        return [query for call in found for query in _queries(call.name, large, _issued(call, connection, reported))]


def statement(sql: str) -> list[Query]:
    """What it changes is rolled back. Raises what PostgreSQL raises."""
    with _laboratory(create_app(os.environ["FLASK_CONFIG"])) as (connection, reported, large):
        given = calls.Call("SQL", lambda session: session.connection().exec_driver_sql(sql))
        return _queries("SQL", large, _issued(given, connection, reported))


@contextmanager
def _laboratory(app: Flask) -> Iterator[tuple[Connection, list[Plan], set[str]]]:
    """A connection, the plans of what any of the app's connections runs, and the names of the large tables."""
    with app.app_context():  # not around the calls: a request would leave its session, and its last plan, to the next
        engine = db.engine
    try:
        with plans.reported(engine) as reported, engine.connect() as connection:
            large = plans.large_tables(connection)
            connection.rollback()
            yield connection, reported, large
    finally:
        engine.dispose()


def _issued(call: calls.Call, connection: Connection, reported: list[Plan]) -> list[list[Plan]]:
    """The plans of each time."""
    times = []
    for _ in range(UNCOUNTED + TIMES):
        reported.clear()
        with Session(connection) as session:
            call.issue(session)
        connection.rollback()
        times.append(list(reported))
    return times[UNCOUNTED:]


def _queries(call: str, large: set[str], times: list[list[Plan]]) -> list[Query]:
    """A query for each statement, from all its times."""
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
        for number, same in enumerate(zip(*times, strict=True), 1)
    ]
