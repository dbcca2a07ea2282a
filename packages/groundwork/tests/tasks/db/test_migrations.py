"""Migration tasks on a real database: comparison with the models, and the life of a migration."""

import re
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import database as databases
from groundwork.tasks.db import migrations as db
from groundwork.testing.service import Database as OwnDatabase
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.tasks.db.conftest import SECRETS

Captured = pytest.CaptureFixture[str]


def test_the_models_are_compared_without_a_word_to_production(
    clone: Clone, empty_database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = loader.load("testing", environ=empty_database.environment)
    production = {
        name: value for name, value in reached.environment.items() if name.startswith(("APPLICATION", "POSTGRES"))
    }
    role = {"POSTGRES_USER": reached["POSTGRES_USER"], "MIGRATOR_PASSWORD": reached["POSTGRES_PASSWORD"]}
    _replace(clone.folder / "config" / "production.json", '"migrator"', f'"{reached["POSTGRES_USER"]}"')
    clone.environment.update({**SECRETS, **production, **role, "APPLICATION_CONFIG": "production"})
    before = _contents(reached)

    checked = clone.inv("db.check")
    _add_a_column(clone)
    differing = clone.inv("db.check")
    written = clone.inv("db.revision", "--message", "Nicknames")
    refused = clone.inv("db.revision", "--message", "Nicknames", "--apply")

    assert (checked.returncode, differing.returncode, written.returncode, refused.returncode) == (0, 255, 0, 1)
    assert "using the development server instead of production" in checked.stderr
    assert "No new upgrade operations detected" in checked.stdout
    assert "add_column" in differing.stdout
    assert [*(clone.folder / "alembic" / "versions").glob("*_nicknames.py")]
    assert (
        refused.stderr
        == f"--apply would migrate {reached['APPLICATION_DB']} of production: use inv db.migrate or a deploy\n"
    )
    assert _contents(reached) == before


def test_a_check_leaves_the_database_as_it_is(
    clone: Clone, empty_database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.environment.update(empty_database.environment, APPLICATION_CONFIG="testing")
    settings = loader.load("testing", environ=empty_database.environment)
    before = _contents(settings)

    checked = clone.inv("db.check")
    _add_a_column(clone)
    differing = clone.inv("db.check")

    assert checked.returncode == 0, checked.stderr
    assert differing.returncode != 0
    assert "add_column" in differing.stdout
    assert _contents(settings) == before


def test_a_migrations_whole_life(
    clone: Clone, database: OwnDatabase, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.environment.update(database.environment, APPLICATION_CONFIG="testing")
    clone.enter(monkeypatch)
    _add_a_column(clone)
    assert clone.inv("db.check").returncode != 0

    db.revision(Context(), message="Nicknames for users")
    (written,) = (clone.folder / "alembic" / "versions").glob("*nicknames*.py")
    assert 'op.add_column("users", ' in written.read_text()
    assert _ok(clone, "run", f"ruff format --check {written} && ruff check {written}")

    db.check(Context())
    db.migrate(Context())
    at_the_head = _status(capfd)
    assert re.search(r"database  \w+  Nicknames", at_the_head)
    assert "the database is up to date" in at_the_head
    db.downgrade(Context())
    behind = _status(capfd)
    assert re.search(r"pending   \w+  Nicknames", behind)
    assert "apply the pending migrations: inv db.migrate" in behind
    db.migrate(Context(), dry_run=True)
    assert "ADD COLUMN nickname" in capfd.readouterr().out
    assert _status(capfd) == behind
    db.reset(Context())
    assert "starter: " in capfd.readouterr().out
    assert _status(capfd) == at_the_head


def test_the_development_server_is_started_for_a_task_and_ended_after_it(clone: Clone) -> None:
    first, second = _ok(clone, "db.migrate"), _ok(clone, "db.migrate")

    assert "using an embedded PostgreSQL, since " in first
    assert "upgrade " in first
    assert "upgrade " not in second
    assert clone.processes() == []


def _contents(settings: Configuration) -> list[tuple[object, ...]]:
    """Return the relations of the database, and all databases whose name starts with its name."""
    relations = "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    siblings = "SELECT datname FROM pg_database WHERE starts_with(datname, current_database())"
    with databases.connect(settings, settings["APPLICATION_DB"]) as connection:
        return [*connection.execute(relations), *connection.execute(siblings)]


def _replace(path: Path, text: str, other: str) -> None:
    assert text in path.read_text()
    path.write_text(path.read_text().replace(text, other))


def _status(capfd: Captured) -> str:
    capfd.readouterr()
    db.status(Context())
    return capfd.readouterr().out


def _ok(clone: Clone, *arguments: str) -> str:
    finished = clone.inv(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout + finished.stderr


def _add_a_column(clone: Clone) -> None:
    models = clone.folder / "app" / "accounts" / "models.py"
    text = models.read_text()
    changed = re.sub(
        r"(class User\(.*?\n    name: [^\n]*\n)", r"\1    nickname: Mapped[str | None]\n", text, flags=re.DOTALL
    )
    assert changed != text
    models.write_text(changed)
