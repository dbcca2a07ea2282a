"""Shared fixtures.

The fixture that a test requests decides how it is isolated:

- `session`, `client`: a transaction that is rolled back. Code under test may commit. This is the default choice.
- `committing_session`: real commits on one database per worker; all rows are deleted after the test.
- `database`: a migrated database for this test only, for several connections, threads and commands.
- `empty_database`: the same, before the first migration.
- none of them: the test starts no PostgreSQL.

Fixtures import database modules when they need them, so that a run without a database does not load them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

    from groundwork.testing.database_pool import Pool
    from groundwork.testing.service import CreateApp, Database, HeldConnection


@pytest.fixture(scope="session")
def run_environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Start the PostgreSQL of this run on first use, and return the environment to connect to it."""
    from groundwork.testing import run

    return run.server(request.config)[0]


@pytest.fixture(scope="session")
def worker_environment(run_environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield the same environment with this worker's clone of the template as the database."""
    from groundwork.configuration.loader import with_database
    from groundwork.testing import database_pool, template

    name = database_pool.new_name()
    database_pool.create(run_environment, name, template.NAME)
    yield with_database(run_environment, name)
    database_pool.drop(run_environment, name)


@pytest.fixture(scope="session")
def create_app() -> CreateApp:
    """Return the function that creates the service on the database at a URL.

    A project whose factory does not read its settings from the environment overrides this fixture.
    """
    from groundwork.testing import service

    return service.create_from_project


@pytest.fixture(scope="session")
def app(worker_environment: dict[str, str], create_app: CreateApp) -> Iterator[Flask]:
    """Yield the service on this worker's database."""
    from groundwork.testing import service

    app = service.create(worker_environment, create_app)
    with app.app_context():
        service.db().session.configure(join_transaction_mode="create_savepoint")
    yield app
    service.dispose(app)


@pytest.fixture(scope="session")
def held_connection(app: Flask) -> Iterator[HeldConnection]:
    from groundwork.testing.service import HeldConnection

    held = HeldConnection(app)
    yield held
    held.close()


@pytest.fixture
def session(app: Flask, held_connection: HeldConnection) -> Iterator[Session]:
    """Yield a session in a transaction that is rolled back after the test. Commits inside only commit a savepoint.

    Requests of `client` use other sessions on the same connection.
    """
    from sqlalchemy.orm import Session

    from groundwork.testing import service

    with app.app_context():
        engines = cast("dict[str | None, Engine | Connection]", service.db().engines)
    usual = engines[None]
    engines[None] = connection = held_connection.get()
    transaction = connection.begin()
    session = Session(bind=connection, join_transaction_mode="create_savepoint")
    try:
        yield session
    finally:
        engines[None] = usual
        transaction.rollback()  # before session.close(), which would first roll back to its savepoint
        session.close()


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:  # noqa: ARG001  its transaction is that of the requests
    return app.test_client()


@pytest.fixture
def committing_session(held_connection: HeldConnection, delete_all: Callable[[], None]) -> Iterator[Session]:
    """Yield a session with real commits, visible to all connections. Delete all rows in one round trip afterwards.

    Identity columns are not reset. Requests of `app.test_client()` see the commits.
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

    from groundwork.testing import database_pool, service

    referring_first = reversed(service.db().metadata.sorted_tables)
    statements = "; ".join(str(delete(table)) for table in referring_first).encode()
    with database_pool.connect(worker_environment, worker_environment["APPLICATION_DB"]) as connection:

        def delete_all() -> None:
            connection.execute(statements, prepare=False)

        yield delete_all


@pytest.fixture
def template(request: pytest.FixtureRequest, run_environment: dict[str, str]) -> str:
    """Return the template for `database`: one with the scenario of the test's marker, else the migrated one."""
    marked = request.node.get_closest_marker("scenario")
    if marked is None:
        from groundwork.testing import template

        return template.NAME
    from groundwork.testing import scenario_templates

    return scenario_templates.name(run_environment, *marked.args, **marked.kwargs)


@pytest.fixture
def database(
    request: pytest.FixtureRequest,
    run_environment: dict[str, str],
    create_app: CreateApp,
    pools: dict[str, Pool],
    template: str,
) -> Iterator[Database]:
    """Yield a migrated database for this test only: empty, or filled by `@pytest.mark.scenario("orders", size=100)`.

    Use it for real commits and for several connections.

    The database of a failed test is kept until the end of the run, and after it with --keep.
    """
    from groundwork.configuration.loader import with_database
    from groundwork.testing import run
    from groundwork.testing.database_pool import Pool
    from groundwork.testing.service import Database

    if template not in pools:
        pools[template] = Pool(run_environment, template)
    name = pools[template].take()
    database = Database(with_database(run_environment, name), create_app)
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
def empty_database(run_environment: dict[str, str], create_app: CreateApp) -> Iterator[Database]:
    """Yield a database for this test only, before the first migration."""
    from groundwork.configuration.loader import with_database
    from groundwork.testing import database_pool
    from groundwork.testing.service import Database

    name = database_pool.new_name()
    database_pool.create(run_environment, name)
    database = Database(with_database(run_environment, name), create_app)
    try:
        yield database
    finally:
        database.close()
        database_pool.drop(run_environment, name)
