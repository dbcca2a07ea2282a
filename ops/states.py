"""The states that a scenario's server keeps: every loaded one as a template, and the database that is worked on.

A template's name is the fingerprint of what it was made from; it gets that name when it is whole.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ops import database
from ops.configuration import Configuration

if TYPE_CHECKING:
    import psycopg

LOADED, LOADING = "loaded_", "loading"


@dataclass(frozen=True)
class State:
    fingerprint: str
    size: int | None
    seed: int

    @property
    def template(self) -> str:
        return f"{LOADED}{self.fingerprint}"

    def __str__(self) -> str:
        return f"seed {self.seed}" if self.size is None else f"size {self.size:,}, seed {self.seed}"


class States:
    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]", worked_on: str) -> None:
        self._connection = connection
        self._worked_on = worked_on

    def current(self) -> State | None:
        """Of which state the database that is worked on was made; None where there is none."""
        return self._states(self._worked_on).get(self._worked_on)

    def kept(self) -> list[State]:
        return list(self._states(f"{LOADED}%").values())

    def clone(self, state: State, name: str = "") -> None:
        """In the place of what was worked on, under whoever is connected to it."""
        name = name or self._worked_on
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, state.template)
        self._describe(name, state)

    def drop(self, *names: str) -> None:
        for name in names:
            if name.startswith(LOADED):
                self._execute("ALTER DATABASE {} IS_TEMPLATE false", name)
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    @contextmanager
    def loading(self, state: State) -> Iterator[str]:
        """An empty database to load; kept as a template once the load is whole, else dropped."""
        self.drop(LOADING)  # of a load that was killed
        self._execute(f"CREATE DATABASE {{}} {database.FROM_NOTHING}", LOADING)
        try:
            yield LOADING
        except BaseException:
            self.drop(LOADING)
            raise
        self._describe(LOADING, state)
        self._execute("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false", LOADING)
        self._execute("ALTER DATABASE {} RENAME TO {}", LOADING, state.template)

    def _states(self, pattern: str) -> dict[str, State]:
        rows = self._connection.execute(
            """
            SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database
            WHERE datname LIKE %s AND shobj_description(oid, 'pg_database') IS NOT NULL ORDER BY oid
            """,
            [pattern],
        )
        return {str(name): State(**json.loads(str(described))) for name, described in rows}

    def _describe(self, name: str, state: State) -> None:
        from psycopg import sql

        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        self._connection.execute(comment.format(sql.Identifier(name), sql.Literal(json.dumps(asdict(state)))))

    def _execute(self, statement: str, *names: str) -> None:
        from psycopg import sql

        self._connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def opened(configuration: Configuration) -> Iterator[States]:
    """Raises Exit, with the reason in a line, where the server cannot be used."""
    with database.connect(configuration) as connection:
        yield States(connection, configuration["APPLICATION_DB"])
