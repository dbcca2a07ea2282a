"""Locks of migrations: several migrators, tables in use, and indexes that are built concurrently."""

import time
from pathlib import Path

import pytest
from alembic.command import downgrade
from sqlalchemy import Connection, text

from groundwork.migrations import locks, runner
from groundwork.testing.service import Database
from tests.app.migrations.command_line import PATIENCE, end, migrate, run, start, wait_until
from tests.app.migrations.schema import catalog, connect
from tests.app.migrations.versions import FIRST, HEAD, write

INDEX = "CREATE INDEX ix_orders_status ON public.orders USING btree (status)"


def test_of_several_at_once_one_works_and_the_others_see_it_done(empty_database: Database) -> None:
    racing = [start(empty_database, "upgrade", "head") for _ in range(3)]
    ended = [end(process) for process in racing]

    assert [code for code, _, _ in ended] == [0, 0, 0], ended
    assert sum("The first shop" in said for _, said, _ in ended) == 1


def test_with_work_to_do_a_migrator_waits_for_the_other(empty_database: Database) -> None:
    with connect(empty_database) as other:
        lock(other)
        waiting = start(empty_database, "upgrade", "head")
        wait_until_it_asks_for_the_lock(other)
        still_waiting = waiting.poll() is None
        meanwhile = catalog(empty_database)

    code, _, _ = end(waiting)
    assert still_waiting
    assert meanwhile == []
    assert code == 0
    assert run(empty_database, "check").has_succeeded


@pytest.mark.parametrize("command", ["upgrade head", "upgrade heads", "current", "check"])
def test_without_work_nobody_waits(database: Database, command: str) -> None:
    with connect(database) as other:
        lock(other)

        assert run(database, *command.split()).has_succeeded


def test_a_table_in_use_is_waited_for_aloud_and_in_short_turns(database: Database) -> None:
    migrate(database, downgrade, FIRST)
    with connect(database) as other:
        other.execute(text("BEGIN; SELECT * FROM order_lines"))
        holder = other.scalar(text("SELECT pg_backend_pid()"))
        with start(database, "-x", "lock_timeout=800ms", "downgrade", "base") as waiting:
            assert waiting.stdout
            said = [waiting.stdout.readline() for _ in range(2)]
            other.execute(text("ROLLBACK"))
            rest = waiting.stdout.read()

    assert said == [
        f"waiting for a lock on order_lines held by pid {holder}: SELECT pg_backend_pid()\n",
        "gave up waiting for a lock; next try in 0.5 s\n",
    ]
    assert waiting.returncode == 0, rest
    assert catalog(database) == []


def test_a_table_in_use_for_too_long_makes_a_migration_give_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PAUSES", (0.01, 0.01, 0.01))
    migrate(database, downgrade, FIRST)
    before = catalog(database)
    with connect(database) as other:
        other.execute(text("BEGIN; SELECT * FROM order_lines"))

        gave_up = run(database, "-x", "lock_timeout=100ms", "downgrade", "base")

    assert not gave_up.has_succeeded
    assert gave_up.said.count("gave up waiting for a lock") == 3
    assert "canceling statement due to lock timeout" in gave_up.said
    assert catalog(database) == before


def test_an_index_that_is_built_concurrently_may_take_its_time(database: Database, checkout: Path) -> None:
    write_index(checkout)
    with connect(database) as other:
        other.execute(text("BEGIN; SELECT * FROM orders"))  # which it waits for
        building = start(database, "-x", "lock_timeout=100ms", "upgrade", "head", folder=checkout)
        wait_until(lambda: is_building(database) or building.poll() is not None)
        time.sleep(0.2)
        other.execute(text("ROLLBACK"))

    code, said, complaint = end(building)
    assert code == 0, said + complaint
    assert ("index", "orders", "ix_orders_status", INDEX) in catalog(database)


def test_a_broken_index_is_dropped_before_it_is_built_again(database: Database, checkout: Path) -> None:
    write_index(checkout)
    with connect(database) as other:
        other.execute(text("CREATE INDEX ix_orders_status ON orders (status)"))
        other.execute(text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_orders_status'::regclass"))

        migrated = run(database, "upgrade", "head", folder=checkout)

        assert "dropping the invalid index public.ix_orders_status, which an earlier" in migrated.said
        assert migrated.has_succeeded
        assert not other.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid"))


def lock(connection: Connection) -> None:
    """Take the migration lock, as another migrator would."""
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": runner.MIGRATION_LOCK})


def write_index(checkout: Path) -> None:
    create = "CREATE INDEX CONCURRENTLY ix_orders_status ON orders (status)"
    write(checkout, "later", HEAD, f'with op.get_context().autocommit_block():\n        op.execute("{create}")')


def is_building(database: Database) -> bool:
    with connect(database) as other:
        return bool(other.scalar(text("SELECT count(*) FROM pg_stat_progress_create_index")))


def wait_until_it_asks_for_the_lock(connection: Connection) -> None:
    asking = text("""
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock%'
    """)
    deadline = time.monotonic() + PATIENCE
    while not connection.scalar(asking):
        assert time.monotonic() < deadline, "nobody asked for the lock"
        time.sleep(0.05)
