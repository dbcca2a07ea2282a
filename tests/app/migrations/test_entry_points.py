"""Ways to run migrations: the command line from any folder, SQL for another person, and an open connection."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.command import downgrade, upgrade
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, text

from groundwork.testing.service import Database
from tests.app.migrations.command_line import PATIENCE, ROOT, Ran, migrate, run, typed
from tests.app.migrations.schema import catalog, connect

LAST_IN_A_TRANSACTION = "a1f05c92e6d8"
"""Last revision that can run in another transaction: the next one builds an index concurrently."""


def test_from_any_folder_each_step_says_what_it_did_and_nothing_else(empty_database: Database, tmp_path: Path) -> None:
    upgrade = ("--config", str(ROOT / "alembic.ini"), "upgrade", "head")

    code, said, complaint = typed(empty_database, *upgrade, folder=tmp_path)
    again = run(empty_database, "upgrade", "head")

    assert re.match(r"upgrade \w+: The first shop", said)
    assert (code, complaint, again) == (0, "", Ran(True, ""))


def test_sql_for_somebody_else_to_run_needs_no_settings_and_does_the_same(empty_database: Database) -> None:
    written = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=ROOT,
        env={},
        text=True,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    ).stdout
    with connect(empty_database) as somebody:
        for statement in written.split(";\n\n"):  # as psql sends them: an index is built concurrently only by itself
            somebody.exec_driver_sql(statement)
    by_hand = catalog(empty_database)

    migrate(empty_database, downgrade, "base")
    migrate(empty_database, upgrade, "head")

    assert written.startswith("SET lock_timeout")
    assert by_hand == catalog(empty_database)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("POSTGRES_PORT", "1", "refused"), ("FLASK_CONFIG", "prod", "FLASK_CONFIG: should be one of")],
)
def test_what_stands_in_the_way_is_said_in_a_line(database: Database, name: str, value: str, reason: str) -> None:
    database.environment[name] = value

    refused = run(database, "current")

    assert not refused.has_succeeded
    assert reason in refused.said


def test_a_connection_handed_over_stays_in_the_hands_of_its_owner(empty_database: Database) -> None:
    engine = create_engine(empty_database.url, poolclass=NullPool)
    with engine.connect() as connection, connection.begin() as transaction:
        upgrade(Config(ROOT / "alembic.ini", attributes={"connection": connection}), LAST_IN_A_TRANSACTION)
        migrated = connection.scalar(text("SELECT count(*) FROM orders"))
        transaction.rollback()

    assert migrated == 0
    assert catalog(empty_database) == []
