"""Bulk loading with COPY into tables without indexes and constraints, which are recreated afterwards."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from groundwork.scenarios.loading import rows
from groundwork.scenarios.loading.rows import Columns, Part

BUILDERS = 2  # connections that build indexes at the same time

Connect = Callable[[], "psycopg.Connection[tuple[object, ...]]"]


@dataclass
class Loaded:
    rows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    """Duration of each step."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def load(connect: Connect, columns: Columns, parts: Iterable[Part], report: Callable[[int], None]) -> Loaded:
    """Fill empty tables; call `report` with the number of rows of each copied part.

    Afterwards every constraint and index is restored and valid, sequences continue after the last row, and the tables
    are analyzed. Raises what `parts` and PostgreSQL raise; the database is then incomplete and must be dropped.
    """
    loaded = Loaded()
    with bare(connect, columns, loaded), loaded.step("making and copying rows"):
        for copied in _copied(connect, columns, parts):
            loaded.rows += copied
            report(copied)
    return loaded


@contextmanager
def bare(connect: Connect, columns: Columns, loaded: Loaded) -> Iterator[None]:
    """Drop the tables' indexes and constraints on entry; recreate and check them on exit."""
    with connect() as connection:
        with loaded.step("preparation"):
            rules = _rules(connection, columns)
            _execute(connection, [rule.drop for rule in rules])
        yield
        with loaded.step("indexes"):
            _build(connect, [rule.create for rule in rules if not rule.is_reference])
        with loaded.step("foreign keys"):
            _execute(connection, [rule.create for rule in rules if rule.is_reference])
        with loaded.step("statistics and sequences"):
            _advance_sequences(connection, columns)
            connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(sql.Identifier, columns))))
        lost = {rule.create for rule in rules} ^ {rule.create for rule in _rules(connection, columns)}
        if lost:
            raise RuntimeError(f"constraints or indexes have changed: {'; '.join(sorted(lost))}")


@dataclass(frozen=True)
class _Rule:
    """A constraint or an index."""

    drop: str
    create: str
    is_reference: bool


def _rules(connection: "psycopg.Connection[tuple[object, ...]]", columns: Columns) -> list[_Rule]:
    """Return the constraints and indexes that slow down COPY, foreign keys first, since they depend on the others."""
    found = connection.execute(
        """
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
               format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
               contype = 'f'
        FROM pg_constraint
        WHERE contype IN ('f', 'p', 'u', 'x')
              AND (conrelid = ANY(%(tables)s::text[]::regclass[]) OR confrelid = ANY(%(tables)s::text[]::regclass[]))
        UNION ALL
        SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid), false
        FROM pg_index
        WHERE indrelid = ANY(%(tables)s::text[]::regclass[])
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
        ORDER BY 3 DESC, 2
        """,
        {"tables": list(columns)},
    )
    return [_Rule(str(drop), str(create), bool(is_reference)) for drop, create, is_reference in found]


def _copied(connect: Connect, columns: Columns, parts: Iterable[Part]) -> Iterator[int]:
    """Copy the parts in order, with one connection per table; yield the number of rows of each part."""
    with ExitStack() as stack:
        copies = {}
        for table, names in columns.items():
            connection = stack.enter_context(connect())
            stack.enter_context(connection.transaction())
            # COPY FREEZE, without WAL, is only possible for a table that was truncated in the same transaction.
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FREEZE)").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
            )
            copies[table] = stack.enter_context(connection.cursor().copy(statement))
        for part in rows.generate(parts):
            for table, text in part.items():
                copies[table].write(text)
            yield sum(text.count("\n") for text in part.values())


def _build(connect: Connect, statements: Sequence[str]) -> None:
    """Run the statements in parallel; an `ALTER TABLE … ADD PRIMARY KEY` waits for index builds on the same table."""
    with ThreadPoolExecutor(BUILDERS) as builders:
        for built in [builders.submit(_build_one, connect, statement) for statement in statements]:
            built.result()


def _build_one(connect: Connect, statement: str) -> None:
    with connect() as connection:
        _execute(connection, [statement])


def _execute(connection: "psycopg.Connection[tuple[object, ...]]", statements: Sequence[str]) -> None:
    connection.execute("SET maintenance_work_mem = '64MB'")
    for statement in statements:
        connection.execute(statement.encode())


def _advance_sequences(connection: "psycopg.Connection[tuple[object, ...]]", columns: Columns) -> None:
    owned = connection.execute(
        """
        SELECT attrelid::regclass::text, attname, pg_get_serial_sequence(attrelid::regclass::text, attname)
        FROM pg_attribute
        WHERE attrelid = ANY(%s::text[]::regclass[]) AND attidentity <> ''
        """,
        [list(columns)],
    ).fetchall()
    for table, column, sequence in owned:
        last = sql.SQL("SELECT max({}) FROM {}").format(sql.Identifier(str(column)), sql.Identifier(str(table)))
        connection.execute(sql.SQL("SELECT setval(%s, last) FROM ({}) AS rows (last)").format(last), [sequence])
