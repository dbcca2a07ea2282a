"""Clones of template databases, created in advance and dropped in the background."""

import os
import queue
import threading
import time
from typing import TYPE_CHECKING

from groundwork.system import process_owner

if TYPE_CHECKING:
    import psycopg

AHEAD = 2  # more would compete with the tests for the processor
PREFIX = "test"
POLL_SECONDS = 0.002


def connect(environment: dict[str, str], database: str | None = None) -> "psycopg.Connection[tuple[object, ...]]":
    import psycopg

    return psycopg.connect(
        host=environment["POSTGRES_HOST"],
        port=environment["POSTGRES_PORT"],
        user=environment["POSTGRES_USER"],
        password=environment["POSTGRES_PASSWORD"],
        dbname=database or environment["POSTGRES_DB"],
        autocommit=True,
    )


def new_name() -> str:
    """Return a new database name that contains the process that will drop it."""
    return f"{PREFIX}_{process_owner.identity()}_{os.urandom(4).hex()}"


def create(environment: dict[str, str], name: str, template: str | None = None) -> None:
    with connect(environment) as connection:
        _create(connection, name, template)


def drop(environment: dict[str, str], name: str) -> None:
    with connect(environment) as connection:
        _drop(connection, name)


def drop_abandoned(environment: dict[str, str]) -> None:
    """Drop databases of processes that have ended: killed ones, and ones that kept a failed test's database."""
    with connect(environment) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}\\_%"]).fetchall()
        for name in (str(row[0]) for row in rows):
            if process_owner.is_abandoned(name.split("_")[1]):
                _drop(connection, name)


class Pool:
    """Pool of clones of one template that creates AHEAD clones in advance."""

    def __init__(self, environment: dict[str, str], template: str) -> None:
        self._environment = environment
        self._template = template
        self._ready: queue.Queue[str | Exception] = queue.Queue()
        self._work: queue.Queue[str | None] = queue.Queue()  # a name: drop it; empty: create one; None: stop
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        for _ in range(AHEAD):
            self._work.put("")

    def take(self) -> str:
        """Return the name of an unused database. Raise the error of its creation if that failed."""
        self._work.put("")
        made = self._ready.get()
        if isinstance(made, Exception):
            raise made
        return made

    def give_back(self, name: str) -> None:
        self._work.put(name)

    def close(self) -> None:
        """Drop all returned and unused databases, and wait until this is done."""
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work_off()
        except Exception as error:  # raised in every later take(), which would wait forever otherwise
            while (name := self._work.get()) is not None:
                if not name:
                    self._ready.put(error)

    def _work_off(self) -> None:
        with connect(self._environment) as connection:
            source = self._make_source(connection)
            while (name := self._work.get()) is not None:
                if name:
                    _drop(connection, name)
                else:
                    _create(connection, made := new_name(), source)
                    self._ready.put(made)
            while not self._ready.empty():
                _drop(connection, str(self._ready.get()))
            _drop(connection, source)

    def _make_source(self, connection: "psycopg.Connection[tuple[object, ...]]") -> str:
        """Create a clone and connect to it once: the first connection writes cache files that later clones inherit."""
        _create(connection, source := new_name(), self._template)
        connect(self._environment, source).close()
        while connection.execute("SELECT FROM pg_stat_activity WHERE datname = %s", [source]).fetchone():
            time.sleep(POLL_SECONDS)  # cloning requires no connections, and PostgreSQL checks only every 100 ms
        return source


def _create(connection: "psycopg.Connection[tuple[object, ...]]", name: str, template: str | None) -> None:
    """Create a database by copying files, which is faster when nothing is synced to disk."""
    from psycopg import sql

    from groundwork.postgresql.database import CREATE_OPTIONS

    source = sql.SQL("TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL(CREATE_OPTIONS)
    create = sql.SQL("CREATE DATABASE {} {} STRATEGY file_copy")
    connection.execute(create.format(sql.Identifier(name), source))


def _drop(connection: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
