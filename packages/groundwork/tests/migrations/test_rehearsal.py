"""What a rehearsal sees, and what it makes of that."""

import time

import psycopg
import pytest

from groundwork.migrations.rehearsal import clients, record_locks
from groundwork.migrations.rehearsal.clients import Timing
from groundwork.migrations.rehearsal.steps import Step
from groundwork.testing.service import Database, wait_until

OK, SLOW, REFUSED = Timing("ask", 3), Timing("ask more", 1000.6), Timing("ask all", 1, "no such column")


@pytest.mark.parametrize(
    ("reads", "writes", "complaint", "faults"),
    [
        ([OK], [OK], "", []),
        ([], [], "", []),
        (
            [OK, SLOW],
            [OK],
            "",
            ["a read took 1,001 ms, more than the 1,000 of migrations/longest_blocked_ms: ask more"],
        ),
        ([OK], [REFUSED, OK], "", ["1 write failed, as they would in the previous release: ask all: no such column"]),
        (
            [REFUSED, REFUSED],
            [],
            "",
            ["2 reads failed, as they would in the previous release: ask all: no such column"],
        ),
        ([OK], [OK], "LockNotAvailable", ["cannot be applied"]),
    ],
)
def test_it_finds_fault_with(reads: list[Timing], writes: list[Timing], complaint: str, faults: list[str]) -> None:
    step = Step("5e7 Anything", 1.0, [], reads, writes, complaint)

    assert step.problems(longest_blocked_ms=1000) == faults


@pytest.mark.scenario("orders", size=200)
def test_a_lock_is_seen_with_what_it_keeps_waiting(database: Database) -> None:
    url = prepared(database)

    with (
        clients.running(url) as (reader, writer),
        record_locks.sampling(url, [reader.backend, writer.backend]) as watch,
        psycopg.connect(url, autocommit=True) as other,
        psycopg.connect(url) as migration,
    ):
        migration.execute("LOCK TABLE orders IN SHARE MODE")
        wait_until(lambda: is_blocked(other, writer.backend))
        blocked, reads = time.perf_counter(), len(reader.timings)
        wait_until(lambda: len(reader.timings) > reads + 10 and watch.locks[0].held > 0.1)
        waited = time.perf_counter() - blocked

    (lock,) = watch.locks
    assert (lock.mode, lock.table, lock.blocks) == ("ShareLock", "orders", "writes")
    assert max(timing.milliseconds for timing in writer.timings) > waited * 1000
    assert not any(timing.error for timing in (*reader.timings, *writer.timings))


def test_a_lock_is_written_down_that_nobody_looked_at(database: Database) -> None:
    url = prepared(database)
    with psycopg.connect(url) as migration:
        migration.execute("ALTER TABLE orders ADD COLUMN note text")
        migration.execute("UPDATE alembic_version SET version_num = version_num")

    with record_locks.sampling(url, []) as watch:
        pass

    assert [(lock.mode, lock.table, lock.held) for lock in watch.locks] == [("AccessExclusiveLock", "orders", 0)]


def is_blocked(connection: psycopg.Connection[tuple[object, ...]], backend: int) -> bool:
    return connection.execute("SELECT pg_blocking_pids(%s) <> '{}'", [backend]).fetchone() == (True,)


def prepared(database: Database) -> str:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    record_locks.prepare(url)
    return url
