"""Lock timeouts and retries for migrations, with reports of the sessions that hold the locks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, bindparam, text
from sqlalchemy.exc import OperationalError

PAUSES = (0.5, 1, 2)  # seconds between tries, in which statements that queue behind us can run
SECONDS_BETWEEN_LOOKS = 0.25
TIMEOUTS = ("lock_timeout", "statement_timeout")

Say = Callable[[str], None]

HOLDERS = text(
    """
    SELECT coalesce(waiting.relation::regclass::text, waiting.locktype) AS place, holder.pid,
        regexp_replace(left(holder.query, 60), '\\s+', ' ', 'g') AS query
    FROM pg_locks AS waiting
        CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS blocking (pid)
        JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
    WHERE waiting.pid = :pid AND NOT waiting.granted
    """
)
LEFT_BEHIND = text(
    """
    SELECT format('%I.%I', nspname, relname)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE NOT indisvalid AND nspname <> 'pg_toast' AND relkind = 'i'
        AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index)
    """
)


def retry(run: Callable[[], None], say: Say) -> None:
    """Call `run` and retry it after lock timeouts; raise the error of the last try."""
    for pause in PAUSES:
        try:
            run()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            say(f"gave up waiting for a lock; next try in {pause:g} s")
            time.sleep(pause)
        else:
            return
    run()


@contextmanager
def watched(engine: Engine, pid: int, say: Say) -> Iterator[None]:
    """Report, once each, the lock holders that the connection with that backend pid waits for."""
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=[engine, pid, say, ended], daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def drop_broken_indexes(connection: Connection, say: Say) -> None:
    """Drop invalid indexes of interrupted CREATE INDEX CONCURRENTLY statements; in autocommit, as those were."""
    for index in connection.scalars(LEFT_BEHIND).all():
        say(f"dropping the invalid index {index}, which an earlier CREATE INDEX CONCURRENTLY left behind")
        with without_timeouts(connection):
            connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {index}"))


@contextmanager
def without_timeouts(connection: Connection) -> Iterator[None]:
    """Disable timeouts for statements that wait without blocking others and must not be interrupted."""
    for name in TIMEOUTS:
        connection.execute(text(f"SET {name} = 0"))
    try:
        yield
    finally:
        for name in TIMEOUTS:
            connection.execute(text(f"RESET {name}"))


def _watch(engine: Engine, pid: int, say: Say, ended: threading.Event) -> None:
    """Poll for lock holders; connect only at the first look, since most migrations end before it."""
    said: set[tuple[str, int]] = set()
    holders = HOLDERS.bindparams(bindparam("pid", pid))
    while not ended.wait(SECONDS_BETWEEN_LOOKS):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not ended.wait(SECONDS_BETWEEN_LOOKS):
                for place, holder, query in connection.execute(holders):
                    if (place, holder) not in said:
                        say(f"waiting for a lock on {place} held by pid {holder}: {query}")
                        said.add((place, holder))
