"""Contenders that load the same rows. Times are seconds per million rows."""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

import psutil
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.shop.models import Order, OrderEvent, OrderLine, Product
from groundwork.flask.database import Base
from groundwork.postgresql import embedded
from groundwork.scenarios import workspace
from groundwork.scenarios.loading import copying
from groundwork.scenarios.loading.copying import Loaded
from groundwork.scenarios.loading.rows import NULL, Part
from groundwork.system import paths
from packages.groundwork.benchmarks.place import Server
from scenarios import orders

SEED = 1
MILLION = 1_000_000
MODELS: dict[str, type[Base]] = {model.__tablename__: model for model in (User, Product, Order, OrderLine, OrderEvent)}
POLL_SECONDS = 0.02


class Loads:
    """Ways to load the scenario `orders` with `size` orders."""

    def __init__(self, server: Server, folder: Path, size: int) -> None:
        self._server = server
        self._folder = folder
        self._size = size

    def ours(self) -> Loaded:
        return self.load_into("new")

    def load_into(self, name: str) -> Loaded:
        connect = partial(self._server.connect, self._server.new(name))
        return copying.load(connect, orders.COLUMNS, self._parts, lambda _: None)

    def psql(self) -> float:
        r"""Load existing files with \copy into bare tables, then create the same indexes and keys."""
        database = self._server.new()
        copies = [
            part
            for table, file in self._files.items()
            for part in ("--command", f"\\copy {table} ({', '.join(orders.COLUMNS[table])}) FROM '{file}'")
        ]
        command = [str(embedded.binary("psql")), "--quiet", "--no-psqlrc", *copies, self._server.url(database)]
        connect = partial(self._server.connect, database)

        def load() -> None:
            with copying.bare(connect, orders.COLUMNS, Loaded()):
                subprocess.run(command, check=True)

        return self._timed(load)

    def copy_into_indexes(self) -> float:
        database = self._server.new()

        def load() -> None:
            with self._server.connect(database) as connection:
                for part in self._parts:
                    for table, text in part().items():
                        columns = sql.SQL(", ").join(map(sql.Identifier, orders.COLUMNS[table]))
                        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
                        with connection.cursor().copy(copy) as copied:
                            copied.write(text)
                connection.execute("ANALYZE")

        return self._timed(load)

    def add_all(self) -> float:
        engine = create_engine(self._server.url(self._server.new()).replace("postgresql", "postgresql+psycopg", 1))

        def load() -> None:
            with Session(engine) as session:
                for part in self._parts:
                    for table, text in part().items():
                        rows = (map(_value, line.split("\t")) for line in text.splitlines())
                        names = orders.COLUMNS[table]
                        session.add_all(MODELS[table](**dict(zip(names, row, strict=True))) for row in rows)
                    session.flush()
                session.commit()

        try:
            return self._timed(load)
        finally:
            engine.dispose()

    @property
    def _parts(self) -> list[Part]:
        return list(orders.parts(self._size, SEED))

    @cached_property
    def _rows(self) -> int:
        return sum(text.count("\n") for part in self._parts for text in part().values())

    @cached_property
    def _files(self) -> dict[str, Path]:
        texts: dict[str, list[str]] = defaultdict(list)
        for part in self._parts:
            for table, text in part().items():
                texts[table].append(text)
        files = {table: self._folder / f"{table}.{self._size}" for table in orders.COLUMNS}
        for table, file in files.items():
            file.write_text("".join(texts[table]), "utf-8")
        return files

    def _timed(self, load: Callable[[], None]) -> float:
        rows, _ = self._rows, self._files
        start = time.perf_counter()
        load()
        return (time.perf_counter() - start) / rows * MILLION


def _value(text: str) -> object:
    """Convert to int if possible: the ORM matches a new row by its numeric key, not by text."""
    if text == NULL:
        return None
    return int(text) if text.isdecimal() else text


def by_command(server: Server, size: int) -> tuple[float, float]:
    """Load by the command line. Return seconds and peak memory in MB, including child processes."""
    command = [sys.executable, "-m", workspace.LOADING, "orders", "--size", str(size)]
    environment = {**os.environ, **server.environment, "APPLICATION_DB": server.new()}
    start, most = time.perf_counter(), 0.0
    with subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=subprocess.DEVNULL) as loading:
        process = psutil.Process(loading.pid)
        while loading.poll() is None:
            most = max(most, _megabytes(process))
            time.sleep(POLL_SECONDS)
    return time.perf_counter() - start, most


def _megabytes(process: psutil.Process) -> float:
    """Return the unique set size of the process and its children: memory that would be freed with them."""
    total = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            total += each.memory_full_info().uss
    except psutil.Error:
        return 0  # a process has ended since it was listed
    return total / 2**20
