"""The fixtures. What a test asks for decides how it is kept apart from the others:

- `session`, `client`: in a transaction that is rolled back. Code under test may commit. The one to take by default.
- `committing_session`: commits are real, on one database a worker; what was written is deleted after the test.
- `database`: a database of the test's own, migrated. For several connections at once, threads, commands.
- `empty_database`: the same, before the first migration.
- none of them: no PostgreSQL is started for it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests import server

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.orm import Session

    from tests.clones import Pool

FOLDER = pytest.StashKey[Path]()
KEEPER = pytest.StashKey[server.Keeper]()
FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("database")
    group.addoption("--keep", action="store_true", help="keep the databases of failed tests after the run")
    group.addoption("--reuse", action="store_true", help="leave the server running for the next run with --reuse")


def pytest_configure(config: pytest.Config) -> None:
    shared = getattr(config, "workerinput", {}).get("folder")
    config.stash[FOLDER] = Path(shared or tempfile.mkdtemp(prefix=f"{server.FOLDER}-{os.getpid()}-"))
    if shared is None:
        config.stash[KEEPER] = server.Keeper(config.stash[FOLDER], _outlives(config))


def _outlives(config: pytest.Config) -> bool:
    return bool(config.getoption("--reuse") or config.getoption("--keep"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For `-n auto`: another worker pays once it has some fifty tests to itself; its start costs about as much."""
    definitions = sum(
        path.read_text("utf-8").count("def test_")
        for argument in config.args
        for path in _modules(Path(argument.partition("::")[0]))
    )
    return min(os.cpu_count() or 1, definitions // 50)


def _modules(place: Path) -> Iterable[Path]:
    return place.rglob("test_*.py") if place.is_dir() else [place] if place.is_file() else []


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["folder"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if KEEPER in config.stash:
        config.stash[KEEPER].end()
        shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    if report.failed and call.excinfo and (reason := _why_no_test_can_go_on(item.config, call.excinfo.value)):
        item.session.shouldfail = reason
    return report


def _why_no_test_can_go_on(config: pytest.Config, error: BaseException) -> str | None:
    """One sentence instead of a failure a test, where the server is what failed."""
    if isinstance(error, server.NoServer):
        return f"no PostgreSQL for the tests: {error}"
    while error.__cause__ is not None:
        error = error.__cause__
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("psycopg")}
    if "DiskFull" in names:
        return f"the tests' PostgreSQL has no room left: {error}"
    if "OperationalError" in names and not _answers(config):
        return "the tests' PostgreSQL has gone in the middle of the run"
    return None


def _answers(config: pytest.Config) -> bool:
    from psycopg import OperationalError

    from tests import clones

    try:
        clones.connect(server.ask(config.stash[FOLDER])[0]).close()
    except OperationalError:
        return False
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("engine") and (reason := _why_no_engine()):
        pytest.skip(f"needs a Docker Engine: {reason}")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which PostgreSQL the tests ran on, and where the databases of failed tests are."""
    folder = config.stash[FOLDER]
    try:
        environment, described = server.ask(folder) if (folder / "answer").exists() else ({}, "")
    except server.NoServer:
        return  # which every test that wanted one has said
    if described:
        terminalreporter.write_line(f"PostgreSQL: {described}")
    kept = sorted((folder / "kept").iterdir()) if (folder / "kept").exists() else []
    if kept and not _outlives(config):
        terminalreporter.write_line("the databases of failed tests end with the run; --keep keeps them")
        return
    for place in kept:
        terminalreporter.write_line(f"kept for {place.read_text('utf-8')}: {_psql(environment, place.name)}")


class Database:
    """A database of one test's own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self._apps: list[Flask] = []

    @property
    def url(self) -> URL:
        from sqlalchemy import URL

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
def app(run_environment: dict[str, str]) -> Iterator[Flask]:
    """The service, on this worker's clone of the template."""
    from app.database import db
    from tests import clones, template

    name = clones.new_name()
    clones.create(run_environment, name, template.NAME)
    app = _create_app({**run_environment, "APPLICATION_DB": name})
    with app.app_context():
        db.session.configure(join_transaction_mode="create_savepoint")
    yield app
    _dispose(app)
    clones.drop(run_environment, name)


@pytest.fixture(scope="session")
def connections(app: Flask) -> Iterator[list[Connection]]:
    """The one that the tests with a `session` have in turn: asking the pool each time costs as much again."""
    connections: list[Connection] = []
    yield connections
    for connection in connections:
        connection.close()


@pytest.fixture
def session(app: Flask, connections: list[Connection]) -> Iterator[Session]:
    """In a transaction that is rolled back after the test; what commits inside it, commits a savepoint.

    Requests to `client` get sessions of their own on the same connection.
    """
    from sqlalchemy.orm import Session

    from app.database import db

    with app.app_context():
        engines = cast("dict[str | None, Engine | Connection]", db.engines)
    usual = cast("Engine", engines[None])
    if not connections or connections[0].invalidated:
        connections[:] = [usual.connect()]
    engines[None] = connection = connections[0]
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
def committing_session(app: Flask) -> Iterator[Session]:
    """Its commits are real and seen by every other connection; all rows are deleted after the test, in one trip.

    Identities count on. Requests of `app.test_client()` see what it committed.
    """
    from sqlalchemy import delete, text
    from sqlalchemy.orm import Session

    from app.database import Base, db

    with app.app_context():
        engine = db.engine
    try:
        with Session(engine) as session:
            yield session
    finally:
        referring_first = reversed(Base.metadata.sorted_tables)
        with engine.begin() as connection:
            connection.execute(text("; ".join(str(delete(table)) for table in referring_first)))


@pytest.fixture
def template() -> str:
    """Which database `database` clones; a test module names another by a fixture of its own."""
    from tests import template

    return template.NAME


@pytest.fixture
def database(
    request: pytest.FixtureRequest, run_environment: dict[str, str], pools: dict[str, Pool], template: str
) -> Iterator[Database]:
    """Migrated, without a row, its own: for real commits, and for more connections than one.

    A failed test's is kept to the end of the run, and with --keep after it.
    """
    from tests.clones import Pool

    if template not in pools:
        pools[template] = Pool(run_environment, template)
    name = pools[template].take()
    database = Database({**run_environment, "APPLICATION_DB": name})
    try:
        yield database
    finally:
        database.close()
        if request.node.stash.get(FAILED, False):
            _note_kept(request, name)
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

    name = clones.new_name()
    clones.create(run_environment, name)
    database = Database({**run_environment, "APPLICATION_DB": name})
    try:
        yield database
    finally:
        database.close()
        clones.drop(run_environment, name)


def _note_kept(request: pytest.FixtureRequest, name: str) -> None:
    kept = request.config.stash[FOLDER] / "kept"
    kept.mkdir(exist_ok=True)
    (kept / name).write_text(request.node.nodeid, "utf-8")


def _psql(environment: dict[str, str], name: str) -> str:
    place = ["--host", environment["POSTGRES_HOST"], "--port", environment["POSTGRES_PORT"]]
    return shlex.join(["psql", *place, "--username", environment["POSTGRES_USER"], name])


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


@cache
def _why_no_engine() -> str | None:
    from ops import configuration, engine

    try:
        engine.require(configuration.load("testing", environ={}, missing_secrets="show").images["postgres"])
    except engine.NoEngine as reason:
        return str(reason)
    return None
