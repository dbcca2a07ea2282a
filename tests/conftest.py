"""The fixtures: `session` and `client` in a transaction that is rolled back, `database` where commits must be real."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.orm import Session

from ops import engine
from tests import server

FOLDER = pytest.StashKey[Path]()
KEEPER = pytest.StashKey[server.Keeper]()


def pytest_configure(config: pytest.Config) -> None:
    shared = getattr(config, "workerinput", {}).get("folder")
    config.stash[FOLDER] = Path(shared or tempfile.mkdtemp(prefix="groundwork-tests-"))
    if shared is None:
        config.stash[KEEPER] = server.Keeper(config.stash[FOLDER])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["folder"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if KEEPER in config.stash:
        config.stash[KEEPER].end()
        shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("engine") and (reason := _why_no_engine()):
        pytest.skip(f"needs a Docker Engine: {reason}")


@cache
def _why_no_engine() -> str | None:
    try:
        engine.version()
    except engine.NoEngine as reason:
        return str(reason)
    return None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which PostgreSQL the tests ran on."""
    if (config.stash[FOLDER] / "answer").exists():
        terminalreporter.write_line(f"PostgreSQL: {server.ask(config.stash[FOLDER])[1]}")


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
        app = _create_app(self.environment)
        self._apps.append(app)
        return app

    def close(self) -> None:
        for app in self._apps:
            _dispose(app)


@pytest.fixture(scope="session")
def run_environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """What leads to the run's PostgreSQL; asking for it starts the server."""
    return server.ask(request.config.stash[FOLDER])[0]


@pytest.fixture(scope="session")
def app(run_environment: dict[str, str], worker_id: str) -> Iterator[Flask]:
    """The service, on this worker's clone of the template."""
    environment = {**run_environment, "APPLICATION_DB": f"worker_{worker_id}"}
    server.create(environment, environment["APPLICATION_DB"], server.TEMPLATE)
    app = _create_app(environment)
    yield app
    _dispose(app)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """In a transaction that is rolled back after the test; what commits inside it, commits a savepoint.

    Requests to `client` get sessions of their own on the same connection.
    """
    from app.database import db

    with app.app_context():
        engines = cast(dict[str | None, Engine | Connection], db.engines)
        db.session.configure(join_transaction_mode="create_savepoint")
    usual = cast(Engine, engines[None])
    with usual.connect() as connection:
        engines[None] = connection
        transaction = connection.begin()
        try:
            with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
                yield session
        finally:
            engines[None] = usual
            transaction.rollback()


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def database(run_environment: dict[str, str]) -> Iterator[Database]:
    """Migrated, without a row, its own: for real commits, and for more connections than one."""
    yield from _lend(run_environment, server.TEMPLATE)


@pytest.fixture
def empty_database(run_environment: dict[str, str]) -> Iterator[Database]:
    """Before the first migration."""
    yield from _lend(run_environment, template=None)


def _lend(environment: dict[str, str], template: str | None) -> Iterator[Database]:
    name = f"test_{os.urandom(8).hex()}"
    server.create(environment, name, template)
    database = Database({**environment, "APPLICATION_DB": name})
    try:
        yield database
    finally:
        database.close()
        server.drop(environment, name)


def _create_app(environment: dict[str, str]) -> Flask:
    from app import create_app

    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return create_app("testing")


def _dispose(app: Flask) -> None:
    from app.database import db

    with app.app_context():
        db.engine.dispose()
