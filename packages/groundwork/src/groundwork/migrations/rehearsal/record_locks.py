"""Sampling of the locks that a migration holds and waits for, from another connection every few milliseconds."""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

SAMPLE_SECONDS = 0.001

# https://www.postgresql.org/docs/18/explicit-locking.html#LOCKING-TABLES
BLOCKS = {
    "AccessExclusiveLock": "reads and writes",
    "ExclusiveLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ShareLock": "writes",
    "ShareUpdateExclusiveLock": "other migrations",
}

PREPARE = """
    CREATE SCHEMA rehearsal;
    CREATE TABLE rehearsal.recorded_locks (relname text, mode text);
    CREATE VIEW rehearsal.locks AS
        SELECT pg_locks.pid, database, relname::text, mode, granted
        FROM pg_locks
        JOIN pg_class ON pg_class.oid = relation AND relkind IN ('r', 'p', 'm') AND relname <> 'alembic_version'
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
            AND nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema', 'rehearsal');
    CREATE FUNCTION rehearsal.record_locks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO rehearsal.recorded_locks
            SELECT relname, mode FROM rehearsal.locks WHERE pid = pg_backend_pid() AND granted;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER record_locks AFTER INSERT OR UPDATE OR DELETE ON alembic_version
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rehearsal.record_locks();
"""

SAMPLE = """
    SELECT relname, mode, granted
    FROM pg_stat_activity
    LEFT JOIN rehearsal.locks ON locks.pid = pg_stat_activity.pid AND database = datid
    WHERE datname = current_database() AND backend_type = 'client backend' AND pg_stat_activity.pid <> ALL(%s)
"""

# A trigger in the migration's own transaction records the locks that are held for less than the sampling interval.
RECORDED = "DELETE FROM rehearsal.recorded_locks RETURNING relname, mode"


@dataclass
class Lock:
    """Lock of one mode on one table. Times are in seconds; first_seen and last_seen count from the connection."""

    mode: str
    table: str
    first_seen: float
    last_seen: float = 0
    held: float = 0
    waited: float = 0

    @property
    def blocks(self) -> str:
        return BLOCKS.get(self.mode, "")


def prepare(url: str) -> None:
    """Create the view for sampling and the trigger that records locks."""
    with psycopg.connect(url) as connection:
        connection.execute(PREPARE.encode())


class LockSampler(threading.Thread):
    """Thread that samples the locks of all connections to the database except the `known` backends."""

    def __init__(self, url: str, known: Collection[int]) -> None:
        super().__init__(daemon=True)
        self._connection = psycopg.connect(url, autocommit=True)
        self._known = [*known, self._connection.info.backend_pid]
        self._stopping = threading.Event()
        self._locks: dict[tuple[str, str], Lock] = {}
        self._connected_at = self._last_seen_at = 0.0

    @property
    def locks(self) -> list[Lock]:
        """Locks in the order in which they were requested."""
        return sorted(self._locks.values(), key=lambda lock: (lock.first_seen, lock.table, lock.mode))

    @property
    def seconds(self) -> float:
        """Time from the migration's first connection to its last."""
        return self._last_seen_at - self._connected_at

    def run(self) -> None:
        with self._connection:
            previous = time.perf_counter()
            while not self._stopping.wait(SAMPLE_SECONDS):
                now = time.perf_counter()
                self._sample(now, now - previous)
                previous = now
            for table, mode in self._connection.execute(RECORDED).fetchall():
                self._locks.setdefault((table, mode), Lock(mode, table, self.seconds, self.seconds))

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def _sample(self, now: float, interval: float) -> None:
        """Query the locks; count each for the time since the previous sample."""
        rows = self._connection.execute(SAMPLE, [self._known]).fetchall()
        if not rows:
            return
        self._connected_at = self._connected_at or now
        self._last_seen_at = now
        for table, mode, granted in rows:
            if table is None:  # a connection without a lock
                continue
            lock = self._locks.setdefault((table, mode), Lock(mode, table, now - self._connected_at))
            lock.last_seen = now - self._connected_at
            if granted:
                lock.held += interval
            else:
                lock.waited += interval


@contextmanager
def sampling(url: str, known: Collection[int]) -> Iterator[LockSampler]:
    sampler = LockSampler(url, known)
    sampler.start()
    yield sampler
    sampler.stop()
