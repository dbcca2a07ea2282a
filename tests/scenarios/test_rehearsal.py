"""What a rehearsal sees, and what it makes of that."""

import time

import psycopg
import pytest

from scenarios.rehearsal import locks, traffic
from scenarios.rehearsal.steps import Step
from scenarios.rehearsal.traffic import Asked
from tests.service import Database
from tests.waiting import wait_until

OK, SLOW, REFUSED = Asked("ask", 3), Asked("ask more", 1000.6), Asked("ask all", 1, "no such column")


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
        ([OK], [REFUSED, OK], "", ["1 write failed, so the previous release would: ask all: no such column"]),
        ([REFUSED, REFUSED], [], "", ["2 reads failed, so the previous release would: ask all: no such column"]),
        ([OK], [OK], "LockNotAvailable", ["does not apply"]),
    ],
)
def test_it_finds_fault_with(reads: list[Asked], writes: list[Asked], complaint: str, faults: list[str]) -> None:
    step = Step("5e7 Anything", 1.0, [], reads, writes, complaint)

    assert step.faults(longest_blocked_ms=1000) == faults


@pytest.mark.scenario("orders", size=200)
def test_a_lock_is_seen_with_what_it_keeps_waiting(database: Database) -> None:
    url = prepared(database)

    with (
        traffic.flowing(url) as (reader, writer),
        locks.watched(url, [reader.backend, writer.backend]) as watch,
        psycopg.connect(url, autocommit=True) as other,
        psycopg.connect(url) as migration,
    ):
        migration.execute("LOCK TABLE orders IN SHARE MODE")
        wait_until(lambda: is_blocked(other, writer.backend))
        blocked, reads = time.perf_counter(), len(reader.asked)
        wait_until(lambda: len(reader.asked) > reads + 10 and watch.locks[0].held > 0.1)
        waited = time.perf_counter() - blocked

    (lock,) = watch.locks
    assert (lock.mode, lock.table, lock.stops) == ("ShareLock", "orders", "writes")
    assert max(asked.milliseconds for asked in writer.asked) > waited * 1000
    assert not any(asked.error for asked in (*reader.asked, *writer.asked))


def test_a_lock_is_written_down_that_nobody_looked_at(database: Database) -> None:
    url = prepared(database)
    with psycopg.connect(url) as migration:
        migration.execute("ALTER TABLE orders ADD COLUMN note text")
        migration.execute("UPDATE alembic_version SET version_num = version_num")

    with locks.watched(url, []) as watch:
        pass

    assert [(lock.mode, lock.table, lock.held) for lock in watch.locks] == [("AccessExclusiveLock", "orders", 0)]


def is_blocked(connection: psycopg.Connection[tuple[object, ...]], backend: int) -> bool:
    return connection.execute("SELECT pg_blocking_pids(%s) <> '{}'", [backend]).fetchone() == (True,)


def prepared(database: Database) -> str:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    locks.prepare(url)
    return url
