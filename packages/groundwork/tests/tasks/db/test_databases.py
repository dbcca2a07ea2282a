"""Databases of the tasks: missing, unreachable, or migrated by several tasks at the same time."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context
from invoke.tasks import Task

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import database as databases
from groundwork.system.errors import Exit
from groundwork.tasks.db import backup
from groundwork.tasks.db import migrations as db
from groundwork.testing.service import Database as OwnDatabase
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.tasks.db.conftest import SECRETS


def test_of_many_at_once_one_migrates_and_all_end_well(clone: Clone, empty_database: OwnDatabase) -> None:
    environment = {**clone.environment, **empty_database.environment, "APPLICATION_CONFIG": "testing"}

    said = _race(clone, environment, "db.migrate")

    assert sum("upgrade " in text for text in said) == 1


def test_a_database_that_is_missing_is_made_once_by_all_who_need_it(clone: Clone, missing: Configuration) -> None:
    environment = {**clone.environment, **missing.environment, "APPLICATION_CONFIG": "testing"}

    said = _race(clone, environment, "db.status")

    assert all("apply the pending migrations" in text for text in said)


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        (db.migrate, {}),
        (db.status, {}),
        (backup.backup, {}),
        (db.open_shell, {}),
        (backup.snapshot, {"yes_i_mean": "{name}"}),
    ],
)
def test_in_production_a_database_that_is_missing_is_said_and_not_made(
    checkout: Path,
    missing: Configuration,
    task: Task[Any],
    arguments: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = missing["APPLICATION_DB"]
    file = checkout / "config" / "production.json"
    file.write_text(file.read_text().replace('"migrator"', f'"{missing["POSTGRES_USER"]}"'))
    reached = {**SECRETS, **missing.environment, "MIGRATOR_PASSWORD": missing["POSTGRES_PASSWORD"]}
    for variable, value in {**reached, "APPLICATION_CONFIG": "production", "FLASK_CONFIG": "production"}.items():
        monkeypatch.setenv(variable, value)

    with pytest.raises(
        Exit,
        match=rf"^there is no database {name} at \S+:\d+, and tasks do not create it in production: "
        rf'if this is the right server, run there: CREATE DATABASE "{name}" TEMPLATE template0 [^\n]*$',
    ) as refused:
        task(Context(), **{option: value.format(name=name) for option, value in arguments.items()})

    assert refused.value.code == 1
    with databases.connect(missing) as connection:
        assert connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None


def test_a_database_that_cannot_be_used_is_one_line(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    development = (checkout / "config" / "development.json").read_text()
    (checkout / "config" / "elsewhere.json").write_text(development.replace("5432", "9"))
    monkeypatch.delenv("POSTGRES_PORT", raising=False)
    monkeypatch.setenv("APPLICATION_CONFIG", "elsewhere")

    with pytest.raises(
        Exit, match=r"^cannot use PostgreSQL at localhost:9 as postgres: [^\n]*refused[^\n]*$"
    ) as refused:
        db.migrate(Context())

    assert refused.value.code == 1


def _race(clone: Clone, environment: dict[str, str], task: str) -> list[str]:
    """Run the task three times in parallel and return the outputs. Fail if one fails."""
    racing = [
        subprocess.Popen(
            clone.command(task), cwd=clone.folder, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    said = [process.communicate(timeout=60)[0] for process in racing]
    assert [process.returncode for process in racing] == [0] * 3, said
    return said


@pytest.fixture
def missing(empty_database: OwnDatabase) -> Iterator[Configuration]:
    """Yield settings for a database that does not exist yet. Drop it afterwards."""
    settings = loader.load("testing", environ=empty_database.environment)
    settings = settings.with_values("the test", APPLICATION_DB=f"{settings['APPLICATION_DB']}_missing")
    yield settings
    databases.drop(settings)
