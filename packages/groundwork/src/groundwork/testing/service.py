"""Service under test, on the database of an environment; waiting for what it does."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pkgutil import resolve_name

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.orm import Session

from groundwork.contract import PROJECT

LONGEST_S = 60

CreateApp = Callable[[str], Flask]
"""Function that creates the service on the database at a URL."""


def create_from_project(_url: str) -> Flask:
    """Call the project's factory with `testing`; it reads the database's address from its settings."""
    app: Flask = resolve_name(PROJECT.application)("testing")
    return app


class Database:
    """Database for one test."""

    def __init__(self, environment: dict[str, str], create_app: CreateApp = create_from_project) -> None:
        self.environment = environment
        self._create_app = create_app
        self._apps: list[Flask] = []

    @property
    def url(self) -> URL:
        return url_of(self.environment)

    def app(self) -> Flask:
        """Create a service on this database."""
        app = create(self.environment, self._create_app)
        self._apps.append(app)
        return app

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session with real commits."""
        engine = create_engine(self.url, poolclass=NullPool)
        with Session(engine) as session:
            yield session

    def close(self) -> None:
        for app in self._apps:
            dispose(app)


class HeldConnection:
    """Connection that tests share in turn, because a checkout from the pool doubles the cost."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._connection: Connection | None = None

    def get(self) -> Connection:
        if self._connection is None or self._connection.invalidated:
            with self._app.app_context():
                self._connection = db().engine.connect()
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def url_of(environment: dict[str, str]) -> URL:
    return URL.create(
        "postgresql+psycopg",
        username=environment["POSTGRES_USER"],
        password=environment["POSTGRES_PASSWORD"],
        host=environment["POSTGRES_HOST"],
        port=int(environment["POSTGRES_PORT"]),
        database=environment["APPLICATION_DB"],
    )


def create(environment: dict[str, str], create_app: CreateApp = create_from_project) -> Flask:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return create_app(url_of(environment).render_as_string(hide_password=False))


def dispose(app: Flask) -> None:
    with app.app_context():
        db().engine.dispose()


def db() -> SQLAlchemy:
    """Return the project's Flask-SQLAlchemy object."""
    found: SQLAlchemy = resolve_name(PROJECT.database)
    return found


def wait_until(happened: Callable[[], bool]) -> None:
    """Return once the condition is true. Fail after `LONGEST_S` seconds."""
    deadline = time.monotonic() + LONGEST_S
    while not happened():
        assert time.monotonic() < deadline, f"it has not happened within {LONGEST_S} s"
        time.sleep(0.02)
