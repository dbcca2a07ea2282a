"""Clients of the service during a migration: one that reads and one that writes, each in a loop.

The project's module `traffic` says what they do: `read(connection, execute)` and `write(connection, execute)` run one
round of queries. `execute(name, sql, values)` runs and measures a query, and returns its rows.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from groundwork.contract import PROJECT, import_part

PAUSE = 0.005  # seconds between two rounds: a moderate load, which leaves the CPU to the migration

Rows = list[tuple[Any, ...]]
Execute = Callable[[str, str, Sequence[object]], Rows]
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Timing:
    query: str
    milliseconds: float
    error: str = ""


class Client(threading.Thread):
    """Thread that repeats a round of queries, blocked while a lock is held; a daemon, so that Ctrl-C ends it."""

    def __init__(self, url: str, run_round: Callable[[Connection, Execute], None]) -> None:
        super().__init__(daemon=True)
        self.timings: list[Timing] = []
        self._connection = psycopg.connect(url, autocommit=True)
        self._run_round = run_round
        self._is_warm, self._stopping = threading.Event(), threading.Event()

    @property
    def backend(self) -> int:
        return self._connection.info.backend_pid

    def run(self) -> None:
        with closing(self._connection):
            while not self._stopping.wait(PAUSE) and not self._connection.broken:
                with suppress(psycopg.Error):  # _execute has recorded it
                    self._run_round(self._connection, self._execute)
                self._is_warm.set()

    def start_warm(self) -> None:
        """Start, and return after the first round, which is not counted."""
        self.start()
        self._is_warm.wait()
        self.timings.clear()

    def stop(self) -> None:
        """Stop after the current round, so that a blocked query is measured to its end."""
        self._stopping.set()
        self.join()

    def _execute(self, query: str, sql: str, values: Sequence[object]) -> Rows:
        started, error = time.perf_counter(), ""
        try:
            cursor = self._connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as raised:
            error = raised.diag.message_primary or str(raised)
            raise
        finally:
            self.timings.append(Timing(query, (time.perf_counter() - started) * 1000, error))


@contextmanager
def running(url: str) -> Iterator[tuple[Client, Client]]:
    """Run both clients; yield the reading and the writing one."""
    traffic = import_part(PROJECT.traffic)
    clients = (Client(url, traffic.read), Client(url, traffic.write))
    for client in clients:
        client.start_warm()
    yield clients
    for client in clients:
        client.stop()
