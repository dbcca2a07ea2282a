"""The service, as tests have it: on the database that an environment leads to."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.orm import Session

from app import tokens, users
from app.database import db
from app.factory import create_app
from app.models import Role, User

ADA = {"email": "ada@example.com", "name": "Ada", "password": "correct horse"}
"""As she registers by the API."""


class Database:
    """A database of one test's own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self._apps: list[Flask] = []

    @property
    def url(self) -> URL:
        return URL.create(
            "postgresql+psycopg",
            username=self.environment["POSTGRES_USER"],
            password=self.environment["POSTGRES_PASSWORD"],
            host=self.environment["POSTGRES_HOST"],
            port=int(self.environment["POSTGRES_PORT"]),
            database=self.environment["APPLICATION_DB"],
        )

    def app(self) -> Flask:
        """A service of its own on this database."""
        app = create(self.environment)
        self._apps.append(app)
        return app

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Commits are real."""
        engine = create_engine(self.url, poolclass=NullPool)
        with Session(engine) as session:
            yield session

    def close(self) -> None:
        for app in self._apps:
            dispose(app)


class HeldConnection:
    """One that tests have in turn: asking the pool each time costs as much again."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._connection: Connection | None = None

    def get(self) -> Connection:
        if self._connection is None or self._connection.invalidated:
            with self._app.app_context():
                self._connection = db.engine.connect()
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def create(environment: dict[str, str]) -> Flask:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return create_app("testing")


def token(session: Session, user: User) -> dict[str, str]:
    """The header by which the API knows the user."""
    _, shown = tokens.issue(session, user, "a test", timedelta(hours=1))
    return {"Authorization": f"Bearer {shown}"}


def clerk(session: Session) -> dict[str, str]:
    """The same of somebody of the staff."""
    return token(session, users.register(session, "clerk@example.com", "Clerk", role=Role.STAFF))


def dispose(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()
