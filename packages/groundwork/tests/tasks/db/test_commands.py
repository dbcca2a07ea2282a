"""Commands that the migration tasks build, and their refusal to change production by accident."""

import re
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context
from invoke.tasks import Task

from groundwork.system.errors import Exit
from groundwork.system.paths import NAME
from groundwork.tasks.db import backup
from groundwork.tasks.db import migrations as db
from packages.groundwork.tests.tasks.db.conftest import FIRST, SECRETS


@pytest.mark.parametrize(
    ("task", "arguments", "expected"),
    [
        (db.migrate, {}, [["alembic", "upgrade", "head"]]),
        (
            db.revision,
            {"message": "a name"},
            ["compare", ["alembic", "revision", "--autogenerate", "--message=a name"]],
        ),
        (
            db.revision,
            {"message": "a name", "apply": True},
            [
                "compare",
                ["alembic", "revision", "--autogenerate", "--message=a name"],
                ["alembic", "upgrade", "head"],
            ],
        ),
        (db.downgrade, {}, [["alembic", "downgrade", "-1"]]),
        (db.downgrade, {"revision": "base"}, [["alembic", "downgrade", "base"]]),
        (db.downgrade, {"revision": FIRST[:4]}, [["alembic", "downgrade", FIRST[:4]]]),
        (db.check, {}, ["compare", ["alembic", "check"]]),
        (db.reset, {}, ["drop", "create", ["alembic", "upgrade", "head"], ["groundwork.scenarios.loading", "starter"]]),
    ],
)
def test_a_task_builds(
    task: Task[Any], arguments: dict[str, str], expected: list[object], ran: list[object], checkout: Path
) -> None:
    (checkout / "alembic.ini").touch()

    task(Context(), **arguments)

    assert ran == expected


@pytest.mark.parametrize(
    ("task", "arguments", "would"),
    [
        (db.reset, {}, "db.reset would drop"),
        (db.downgrade, {}, "db.downgrade would revert migrations of"),
        (backup.snapshot, {}, "db.snapshot would disconnect all clients of"),
        (backup.restore, {"name": "before"}, "db.restore would replace"),
        (backup.restore_backup, {"folder": "somewhere"}, "db.restore-backup would replace"),
        (backup.forget, {"name": "before"}, "db.forget would drop a snapshot of"),
    ],
)
@pytest.mark.parametrize("meant", ["", "yes", f"{NAME}2"])
def test_production_is_touched_only_where_its_database_is_named(
    task: Task[Any],
    arguments: dict[str, str],
    would: str,
    meant: str,
    ran: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APPLICATION_CONFIG", "production")

    refused = f"inv {would} {NAME} of production: refused without --yes-i-mean {NAME}"
    with pytest.raises(Exit, match=re.escape(refused)):
        task(Context(), **arguments, yes_i_mean=meant)

    assert ran == []


@pytest.mark.parametrize("revision", ["nonsense", "-99", "-0", "", f"{FIRST}0"])
def test_a_revision_to_go_back_to_that_is_not_there_is_said_with_those_that_are(
    revision: str, ran: list[object]
) -> None:
    refused = f"--revision: no applied migration is '{revision}'; choose one of:\n"
    with pytest.raises(Exit, match=rf"(?s){re.escape(refused)}.*  {FIRST}  .*\n  base  ") as refusal:
        db.downgrade(Context(), revision=revision)

    assert refusal.value.code == 1
    assert ran == []


def test_production_that_an_option_names_is_guarded_too(ran: list[object]) -> None:
    with pytest.raises(Exit, match=f"replace {NAME} of production: refused without --yes-i-mean {NAME}"):
        backup.restore_backup(Context(), folder="somewhere", config="production")

    assert ran == []


def test_production_that_is_meant_is_reset_without_the_starter_data(
    ran: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"APPLICATION_CONFIG": "production", **SECRETS}.items():
        monkeypatch.setenv(name, value)

    db.reset(Context(), yes_i_mean=NAME)

    assert ran == ["drop", "create", ["alembic", "upgrade", "head"]]
