"""Migrations that fail or are cut off: the database stays at the last complete migration."""

from pathlib import Path

import pytest
from alembic.command import downgrade
from sqlalchemy import text

from groundwork.migrations import runner
from groundwork.testing.service import Database
from tests.app.migrations.command_line import end, migrate, run, start, typed, wait_until
from tests.app.migrations.schema import catalog, connect
from tests.app.migrations.versions import FIRST, HEAD, write

SLEEPING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")


def test_a_migration_that_fails_changes_nothing_and_gives_the_lock_back(database: Database) -> None:
    migrate(database, downgrade, FIRST)
    with connect(database) as other:
        other.execute(text("CREATE VIEW in_the_way AS SELECT * FROM order_lines"))
        before = catalog(database)

        assert not run(database, "downgrade", "base").has_succeeded

        assert catalog(database) == before
        assert other.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": runner.MIGRATION_LOCK})


def test_a_failure_names_the_line_and_leaves_the_last_whole_migration(database: Database, checkout: Path) -> None:
    write(checkout, "whole", HEAD, 'op.execute("CREATE TABLE whole (id bigint)")')
    write(checkout, "broken", "whole", 'op.execute("CREATE TABLE part (id bigint)")\n    op.execute("SELECT 1/0")')

    code, said, complaint = typed(database, "upgrade", "head", folder=checkout)

    assert code != 0
    assert "Traceback" not in complaint
    failure = "revision broken failed at alembic/versions/broken.py:8: division by zero; the database is at whole"
    assert failure in said + complaint
    relations = {row[1] for row in catalog(database)}
    assert "whole" in relations
    assert "part" not in relations


@pytest.mark.parametrize("cut", ["the process", "the connection"])
def test_a_migration_that_is_cut_off_leaves_the_last_whole_one(database: Database, checkout: Path, cut: str) -> None:
    write(checkout, "slow", HEAD, 'op.execute("CREATE TABLE part (id bigint); SELECT pg_sleep(4)")')
    with connect(database) as other:
        migrating = start(database, "upgrade", "head", folder=checkout)
        wait_until(lambda: bool(other.scalar(SLEEPING)))
        before = catalog(database)
        if cut == "the process":
            migrating.kill()
        other.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
    code, said, complaint = end(migrating)

    assert code != 0
    assert cut == "the process" or "terminating connection due to administrator command" in said + complaint
    assert catalog(database) == before
    write(checkout, "slow", HEAD, 'op.execute("CREATE TABLE part (id bigint)")')
    assert run(database, "upgrade", "head", folder=checkout).has_succeeded
