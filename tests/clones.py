"""Databases by the dozen: made from a template, some of them ahead of their use, and dropped in the background."""

import os
import queue
import threading
import time
from typing import TYPE_CHECKING

from ops import keeper

if TYPE_CHECKING:
    import psycopg

AHEAD = 2  # more would compete for the processor with the tests that they are made for
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
    """Names the process that will drop it."""
    return f"{PREFIX}_{keeper.signature()}_{os.urandom(4).hex()}"


def create(environment: dict[str, str], name: str, template: str | None = None) -> None:
    with connect(environment) as connection:
        _create(connection, name, template)


def drop(environment: dict[str, str], name: str) -> None:
    with connect(environment) as connection:
        _drop(connection, name)


def drop_abandoned(environment: dict[str, str]) -> None:
    """What processes left that have ended, killed or because a failed test's database was to be kept."""
    with connect(environment) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}\\_%"]).fetchall()
        for name in (str(row[0]) for row in rows):
            if keeper.is_abandoned(name.split("_")[1]):
                _drop(connection, name)


class Pool:
    """Clones of one template: two are made ahead, once the first was asked for."""

    def __init__(self, environment: dict[str, str], template: str) -> None:
        self._environment = environment
        self._template = template
        self._ready: queue.Queue[str | Exception] = queue.Queue()
        self._work: queue.Queue[str | None] = queue.Queue()  # a database to drop; empty: one to make; None: the end
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        for _ in range(AHEAD):
            self._work.put("")

    def take(self) -> str:
        """The name of a database that nobody else uses. Raises what its making raised."""
        self._work.put("")
        made = self._ready.get()
        if isinstance(made, Exception):
            raise made
        return made

    def give_back(self, name: str) -> None:
        self._work.put(name)

    def close(self) -> None:
        """Returns once all that was given back is dropped, and all that nobody took."""
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work_off()
        except Exception as error:  # told to every test that asks from now on, or it would wait
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
        """A clone that somebody has connected to: the first connection caches in files what clones then have too."""
        _create(connection, source := new_name(), self._template)
        connect(self._environment, source).close()
        while connection.execute("SELECT FROM pg_stat_activity WHERE datname = %s", [source]).fetchone():
            time.sleep(POLL_SECONDS)  # what is connected to cannot be cloned, and PostgreSQL looks every 100 ms only
        return source


def _create(connection: "psycopg.Connection[tuple[object, ...]]", name: str, template: str | None) -> None:
    """Copying files is the faster strategy where nothing is synced to the disk."""
    from psycopg import sql

    from ops.database import FROM_NOTHING

    source = sql.SQL("TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL(FROM_NOTHING)
    create = sql.SQL("CREATE DATABASE {} {} STRATEGY file_copy")
    connection.execute(create.format(sql.Identifier(name), source))


def _drop(connection: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
