"""Liveness and readiness."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from app.factory import create_app
from groundwork.flask.database import db
from groundwork.flask.observability import health
from groundwork.system import paths
from groundwork.testing.service import Database

ROOT = paths.ROOT
Connect = Callable[..., FlaskClient]


def test_a_migrated_database_is_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_database_without_migrations_is_not_ready(
    empty_database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = empty_database.app().test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert "The database is at no migration, the code expects " in capsys.readouterr().err


def test_a_database_behind_the_code_is_not_ready(
    client: FlaskClient, next_release: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "The database is at {}, the code expects {}.".format(*next_release) in capsys.readouterr().err


def test_a_database_at_one_of_two_heads_is_not_ready_and_at_both_it_is(
    database: Database, next_release: tuple[str, str]
) -> None:
    head, first = next_release
    (Path(health.ALEMBIC_INI).parent / "alembic" / "versions" / "second.py").write_text(
        f"revision = 'second'\ndown_revision = '{head}'\n"
    )
    client = database.app().test_client()

    with database.session() as session, session.begin():
        session.execute(text("UPDATE alembic_version SET version_num = :first"), {"first": first})
    at_one = client.get("/readyz")
    with database.session() as session, session.begin():
        session.execute(text("INSERT INTO alembic_version VALUES ('second')"))
    at_both = client.get("/readyz")

    assert (at_one.status_code, at_both.status_code) == (503, 200)


def test_code_behind_the_database_serves_until_it_is_replaced(database: Database) -> None:
    engine = create_engine(database.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of_the_next_release'"))
    engine.dispose()

    assert database.app().test_client().get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("POSTGRES_PORT", "1", "refused"),
        ("POSTGRES_PASSWORD", "not the password at all", "password authentication failed"),
        ("APPLICATION_DB", "nosuch", 'database "nosuch" does not exist'),
    ],
)
def test_a_database_that_does_not_answer_is_not_ready_and_only_the_log_says_why(
    connect: Connect, name: str, value: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = connect(**{name: value}).get("/readyz")

    said = capsys.readouterr().err.replace(r"\"", '"')
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["detail"] == "This replica is not ready; its log says why."
    assert "The database does not answer: " in said
    assert reason in said
    assert "not the password" not in said


def test_a_process_lives_without_its_database_and_says_which_version_it_is(connect: Connect) -> None:
    answer = connect(POSTGRES_PORT="1", VERSION="v1.2").get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok", "version": "v1.2"})


@pytest.fixture
def connect(run_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Yield a function that creates a service with changed settings and returns its client."""
    apps: list[Flask] = []

    def connect_with(**changes: str) -> FlaskClient:
        for name, value in {**run_environment, **changes}.items():
            monkeypatch.setenv(name, value)
        apps.append(create_app("testing"))
        return apps[-1].test_client()

    yield connect_with
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Add a migration to the code that the database lacks. Yield the previous head and the new one."""
    shutil.copy(ROOT / "alembic.ini", tmp_path)
    shutil.copytree(ROOT / "alembic", tmp_path / "alembic")
    head = ScriptDirectory(str(tmp_path / "alembic")).get_current_head()
    assert head is not None
    (tmp_path / "alembic" / "versions" / "next.py").write_text(f"revision = 'next'\ndown_revision = '{head}'\n")
    monkeypatch.setattr(health, "ALEMBIC_INI", tmp_path / "alembic.ini")
    health._migrations.cache_clear()
    yield head, "next"
    health._migrations.cache_clear()
