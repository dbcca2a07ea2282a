"""The locks that a migration holds and waits for, looked at from another connection every few milliseconds."""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

SECONDS_BETWEEN_LOOKS = 0.001

# https://www.postgresql.org/docs/18/explicit-locking.html#LOCKING-TABLES
STOPS = {
    "AccessExclusiveLock": "reads and writes",
    "ExclusiveLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ShareLock": "writes",
    "ShareUpdateExclusiveLock": "other migrations",
}

PREPARE = """
    CREATE SCHEMA rehearsal;
    CREATE TABLE rehearsal.confessed (relname text, mode text);
    CREATE VIEW rehearsal.locks AS
        SELECT pg_locks.pid, database, relname::text, mode, granted
        FROM pg_locks
        JOIN pg_class ON pg_class.oid = relation AND relkind IN ('r', 'p', 'm') AND relname <> 'alembic_version'
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
            AND nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema', 'rehearsal');
    CREATE FUNCTION rehearsal.confess() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO rehearsal.confessed
            SELECT relname, mode FROM rehearsal.locks WHERE pid = pg_backend_pid() AND granted;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER confess AFTER INSERT OR UPDATE OR DELETE ON alembic_version
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rehearsal.confess();
"""

LOOK = """
    SELECT relname, mode, granted
    FROM pg_stat_activity
    LEFT JOIN rehearsal.locks ON locks.pid = pg_stat_activity.pid AND database = datid
    WHERE datname = current_database() AND backend_type = 'client backend' AND pg_stat_activity.pid <> ALL(%s)
"""

# What was held for less than the time between two looks: written down by the migration itself, as it committed.
CONFESSED = "DELETE FROM rehearsal.confessed RETURNING relname, mode"


@dataclass
class Lock:
    """Of a mode on a table; times in seconds, the first and the last since the migration came."""

    mode: str
    table: str
    first_seen: float
    last_seen: float = 0
    held: float = 0
    waited: float = 0

    @property
    def stops(self) -> str:
        return STOPS.get(self.mode, "")


def prepare(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(PREPARE.encode())


class Watch(threading.Thread):
    """Of each connection to a database that is none of the `known`, so the migration's, whatever it calls itself."""

    def __init__(self, url: str, known: Collection[int]) -> None:
        super().__init__(daemon=True)
        self._connection = psycopg.connect(url, autocommit=True)
        self._known = [*known, self._connection.info.backend_pid]
        self._told_to_end = threading.Event()
        self._locks: dict[tuple[str, str], Lock] = {}
        self._came = self._was_there = 0.0

    @property
    def locks(self) -> list[Lock]:
        """In the order in which they were asked for."""
        return sorted(self._locks.values(), key=lambda lock: (lock.first_seen, lock.table, lock.mode))

    @property
    def seconds(self) -> float:
        """From the moment at which the migration connected to that at which it was gone."""
        return self._was_there - self._came

    def run(self) -> None:
        with self._connection:
            before = time.perf_counter()
            while not self._told_to_end.wait(SECONDS_BETWEEN_LOOKS):
                now = time.perf_counter()
                self._look(now, now - before)
                before = now
            for table, mode in self._connection.execute(CONFESSED).fetchall():
                self._locks.setdefault((table, mode), Lock(mode, table, self.seconds, self.seconds))

    def end(self) -> None:
        self._told_to_end.set()
        self.join()

    def _look(self, now: float, passed: float) -> None:
        """What is seen counts for the time that has passed since the look before."""
        rows = self._connection.execute(LOOK, [self._known]).fetchall()
        if not rows:
            return
        self._came = self._came or now
        self._was_there = now
        for table, mode, granted in rows:
            if table is None:  # a connection without a lock
                continue
            lock = self._locks.setdefault((table, mode), Lock(mode, table, now - self._came))
            lock.last_seen = now - self._came
            if granted:
                lock.held += passed
            else:
                lock.waited += passed


@contextmanager
def watched(url: str, known: Collection[int]) -> Iterator[Watch]:
    watch = Watch(url, known)
    watch.start()
    yield watch
    watch.end()
