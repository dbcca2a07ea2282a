"""The fixtures. What a test asks for decides how it is kept apart from the others:

- `session`, `client`: in a transaction that is rolled back. Code under test may commit. The one to take by default.
- `committing_session`: commits are real, on one database a worker; what was written is deleted after the test.
- `database`: a database of the test's own, migrated. For several connections at once, threads, commands.
- `empty_database`: the same, before the first migration.
- none of them: no PostgreSQL is started for it.

Whatever knows of databases is imported by the fixtures that need it: a run without one does without.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from ops import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

    from tests.clones import Pool
    from tests.service import Database, HeldConnection

environment.enter()
environment.drop_tls()
os.environ.pop("PYTEST_ADDOPTS", None)  # pytest has read it; runs of pytest that a test starts are others
os.environ["GIT_CONFIG_GLOBAL"] = str(Path(__file__).with_name("gitconfig"))
os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
pytest_plugins = ["tests.run"]


@pytest.fixture(scope="session")
def run_environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """What leads to the run's PostgreSQL; asking for it starts the server."""
    from tests import run, server

    return server.ask(request.config.stash[run.FOLDER])[0]


@pytest.fixture(scope="session")
def worker_environment(run_environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same with this worker's clone of the template as the service's database."""
    from tests import clones, template

    name = clones.new_name()
    clones.create(run_environment, name, template.NAME)
    yield {**run_environment, "APPLICATION_DB": name}
    clones.drop(run_environment, name)


@pytest.fixture(scope="session")
def app(worker_environment: dict[str, str]) -> Iterator[Flask]:
    """The service, on this worker's database."""
    from app.database import db
    from tests import service

    app = service.create(worker_environment)
    with app.app_context():
        db.session.configure(join_transaction_mode="create_savepoint")
    yield app
    service.dispose(app)


@pytest.fixture(scope="session")
def held_connection(app: Flask) -> Iterator[HeldConnection]:
    from tests.service import HeldConnection

    held = HeldConnection(app)
    yield held
    held.close()


@pytest.fixture
def session(app: Flask, held_connection: HeldConnection) -> Iterator[Session]:
    """In a transaction that is rolled back after the test; what commits inside it, commits a savepoint.

    Requests to `client` get sessions of their own on the same connection.
    """
    from sqlalchemy.orm import Session

    from app.database import db

    with app.app_context():
        engines = cast("dict[str | None, Engine | Connection]", db.engines)
    usual = engines[None]
    engines[None] = connection = held_connection.get()
    transaction = connection.begin()
    session = Session(bind=connection, join_transaction_mode="create_savepoint")
    try:
        yield session
    finally:
        engines[None] = usual
        transaction.rollback()  # before the session is closed: that alone would roll back to its savepoint first
        session.close()


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def committing_session(held_connection: HeldConnection, delete_all: Callable[[], None]) -> Iterator[Session]:
    """Its commits are real and seen by every other connection; all rows are deleted after the test, in one trip.

    Identities count on. Requests of `app.test_client()` see what it committed.
    """
    from sqlalchemy.orm import Session

    try:
        with Session(held_connection.get()) as session:
            yield session
    finally:
        delete_all()


@pytest.fixture(scope="session")
def delete_all(worker_environment: dict[str, str]) -> Iterator[Callable[[], None]]:
    from sqlalchemy import delete

    from app.database import Base
    from tests import clones

    referring_first = reversed(Base.metadata.sorted_tables)
    statements = "; ".join(str(delete(table)) for table in referring_first).encode()
    with clones.connect(worker_environment, worker_environment["APPLICATION_DB"]) as connection:

        def delete_all() -> None:
            connection.execute(statements, prepare=False)

        yield delete_all


@pytest.fixture
def template(request: pytest.FixtureRequest, run_environment: dict[str, str]) -> str:
    """Which database `database` clones: one with the scenario that the test is marked with, else the migrated one."""
    marked = request.node.get_closest_marker("scenario")
    if marked is None:
        from tests import template

        return template.NAME
    from tests import told

    return told.name(run_environment, *marked.args, **marked.kwargs)


@pytest.fixture
def database(
    request: pytest.FixtureRequest, run_environment: dict[str, str], pools: dict[str, Pool], template: str
) -> Iterator[Database]:
    """Migrated, its own, without a row or with those of `@pytest.mark.scenario("orders", size=100)`.

    For real commits, and for more connections than one.

    A failed test's is kept to the end of the run, and with --keep after it.
    """
    from tests import run
    from tests.clones import Pool
    from tests.service import Database

    if template not in pools:
        pools[template] = Pool(run_environment, template)
    name = pools[template].take()
    database = Database({**run_environment, "APPLICATION_DB": name})
    try:
        yield database
    finally:
        database.close()
        if request.node.stash.get(run.FAILED, False):
            run.note_kept(request, name)
        else:
            pools[template].give_back(name)


@pytest.fixture(scope="session")
def pools() -> Iterator[dict[str, Pool]]:
    pools: dict[str, Pool] = {}
    yield pools
    for pool in pools.values():
        pool.close()


@pytest.fixture
def empty_database(run_environment: dict[str, str]) -> Iterator[Database]:
    """Before the first migration."""
    from tests import clones
    from tests.service import Database

    name = clones.new_name()
    clones.create(run_environment, name)
    database = Database({**run_environment, "APPLICATION_DB": name})
    try:
        yield database
    finally:
        database.close()
        clones.drop(run_environment, name)
