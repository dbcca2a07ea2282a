"""Ways to load the same rows; each returns seconds for a million rows."""

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

from app.database import Base
from app.models import Order, OrderEvent, OrderLine, Product, User
from benchmarks.place import Server
from ops import postgres, project
from scenarios import orders
from scenarios.loading import copying
from scenarios.loading.copying import Loaded
from scenarios.loading.rows import NULL, Part

SEED = 1
MILLION = 1_000_000
MODELS: dict[str, type[Base]] = {model.__tablename__: model for model in (User, Product, Order, OrderLine, OrderEvent)}
POLL_SECONDS = 0.02


class Loads:
    """Of the scenario `orders` with so many orders."""

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
        """\\copy from files that are there already, into bare tables; the same indexes and keys after it."""
        database = self._server.new()
        copies = [
            part
            for table, file in self._files.items()
            for part in ("--command", f"\\copy {table} ({', '.join(orders.COLUMNS[table])}) FROM '{file}'")
        ]
        command = [str(postgres.binary("psql")), "--quiet", "--no-psqlrc", *copies, self._server.url(database)]
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
    """As the ORM wants it: it finds a new row again by the number that it was given."""
    if text == NULL:
        return None
    return int(text) if text.isdecimal() else text


def by_command(server: Server, size: int) -> tuple[float, float]:
    """Of `python -m scenarios orders`: its seconds, and the most memory in MB that it and its children had."""
    command = [sys.executable, "-m", "scenarios", "orders", "--size", str(size)]
    environment = {**os.environ, **server.environment, "APPLICATION_DB": server.new()}
    start, most = time.perf_counter(), 0.0
    with subprocess.Popen(command, cwd=project.ROOT, env=environment, stdout=subprocess.DEVNULL) as loading:
        process = psutil.Process(loading.pid)
        while loading.poll() is None:
            most = max(most, _megabytes(process))
            time.sleep(POLL_SECONDS)
    return time.perf_counter() - start, most


def _megabytes(process: psutil.Process) -> float:
    """What would be free if it and its children ended: memory that they share is counted once."""
    total = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            total += each.memory_full_info().uss
    except psutil.Error:
        return 0  # one has ended meanwhile
    return total / 2**20
