"""Operations on whole databases of a server: copy as files, make templates, replace, drop.

A database has its description as JSON in its comment. PostgreSQL does not copy comments to a new database.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from groundwork.configuration.loader import Configuration
from groundwork.postgresql import database
from groundwork.system import shell
from groundwork.system.errors import Exit

if TYPE_CHECKING:
    import psycopg

LONGEST_NAME = 63  # bytes; PostgreSQL truncates longer names, which may then be the name of another database
DRAFT, REPLACED = "draft", "replaced"
LOCK_SEED = 5_112_946_305  # separates hashed names from other advisory locks of the maintenance database
POLL_SECONDS = 0.1  # the interval at which PostgreSQL checks for other clients
DISCONNECT_POLL_SECONDS = 0.002
Description = Mapping[str, Any]


class Cluster:
    def __init__(self, configuration: Configuration, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self.configuration = configuration
        self._connection = connection
        self._replaced: list[str] = []

    @property
    def major(self) -> int:
        """Return the major version of the server."""
        return self._connection.info.server_version // 10_000

    def descriptions(self, prefix: str) -> dict[str, Description]:
        """Return the descriptions of the databases with this prefix, oldest first; skip databases without one."""
        rows = self._connection.execute(
            """
            SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database
            WHERE starts_with(datname, %s) AND shobj_description(oid, 'pg_database') IS NOT NULL ORDER BY oid
            """,
            [prefix],
        )
        return {str(name): json.loads(str(comment)) for name, comment in rows}

    def size(self, name: str) -> str:
        """Return the size on disk in a readable unit, such as 8 MB."""
        row = self._connection.execute("SELECT pg_size_pretty(pg_database_size(%s::name))", [name]).fetchone()
        return str(row[0]) if row else ""

    def create(self, name: str) -> None:
        self._execute(f"CREATE DATABASE {{}} {database.CREATE_OPTIONS}", name)

    def copy(self, source: str, name: str) -> None:
        """Copy a database. Disconnects the clients of the source; new clients wait until the copy is finished."""
        with self._without_clients(source):
            self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, source)

    def describe(self, name: str, description: Description) -> None:
        from psycopg import sql

        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        self._connection.execute(comment.format(sql.Identifier(name), sql.Literal(json.dumps(description))))

    def make_template(self, draft: str, name: str, description: Description) -> None:
        """Turn a finished draft into a template. It gets its name and description in one transaction."""
        with self._without_clients(draft), self._connection.transaction():
            self.describe(draft, description)
            self._execute("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false", draft)
            self._execute("ALTER DATABASE {} RENAME TO {}", draft, name)

    def replace(self, name: str, draft: str) -> None:
        """Replace a database with a finished draft. Disconnects the clients of both.

        The name always exists, since one transaction renames both. `drop_replaced` drops the old database later, since
        deleting its files takes time.
        """
        with self._without_clients(name, draft), self._connection.transaction():
            self._execute("ALTER DATABASE {} RENAME TO {}", name, derived_name(name, REPLACED))
            self._execute("ALTER DATABASE {} RENAME TO {}", draft, name)
        self._replaced.append(derived_name(name, REPLACED))

    def drop_replaced(self) -> None:
        for name in self._replaced:
            self.drop(name)

    def drop(self, *names: str) -> None:
        """Drop databases. Disconnects their clients; skips missing databases."""
        query = "SELECT datname, datistemplate FROM pg_database WHERE datname = ANY(%s)"
        for name, is_template in self._connection.execute(query, [list(names)]).fetchall():
            if is_template:
                self._execute("ALTER DATABASE {} IS_TEMPLATE false", str(name))
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(name))

    @contextmanager
    def draft(self, name: str) -> Iterator[str]:
        """Yield the name of a draft for a database or its copy; drop the draft if the block fails.

        An advisory lock admits one task at a time. If a task is killed, the server releases its lock after its last
        statement, and the next task drops what it left behind.
        """
        import psycopg

        if name == self.configuration["POSTGRES_DB"]:  # this connection is a client of it
            raise Exit(f"{name} is also the maintenance database: set APPLICATION_DB to another name", code=1)
        draft, key = derived_name(name, DRAFT), [name, LOCK_SEED]
        acquired = self._connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", key).fetchone()
        if acquired != (True,):
            shell.note(f"waiting for another task that uses {name}")
            self._connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, %s))", key)
        self.drop(draft, derived_name(name, REPLACED))
        try:
            yield draft
        except BaseException:
            with shell.uninterrupted(), suppress(psycopg.Error):  # the first error is the one to report
                self.drop(draft)
            raise
        finally:
            with suppress(psycopg.Error):
                self._connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, %s))", key)

    @contextmanager
    def _without_clients(self, *names: str) -> Iterator[None]:
        """Disconnect all clients repeatedly until the statement of the block has its lock on the database.

        The statement waits some seconds for clients to leave, and checks every 0.1 s. Starting it after they have left
        keeps a stream of new clients from blocking it: they wait for its lock. ALLOW_CONNECTIONS is no alternative: if
        this process is killed before it resets the option, nobody can use the database.
        """
        import psycopg

        done = threading.Event()

        def keep_disconnecting() -> None:
            if done.wait(POLL_SECONDS):
                return
            # The waiting statement reports the error.
            with suppress(Exit, psycopg.Error), database.connect(self.configuration) as connection:
                while not done.is_set():
                    _disconnect(connection, names)
                    done.wait(POLL_SECONDS)

        deadline = time.monotonic() + POLL_SECONDS
        while _disconnect(self._connection, names) and time.monotonic() < deadline:
            time.sleep(DISCONNECT_POLL_SECONDS)
        thread = threading.Thread(target=keep_disconnecting, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _execute(self, statement: str, *names: str) -> None:
        from psycopg import sql

        self._connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _disconnect(connection: "psycopg.Connection[tuple[object, ...]]", names: Sequence[str]) -> int:
    """Disconnect the clients of the databases. Return how many there were."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)"
    return connection.execute(query, [list(names)]).rowcount


def derived_name(name: str, suffix: str) -> str:
    """Return the name of a helper database. Raises Exit if PostgreSQL would truncate it."""
    derived = f"{name}~{suffix}"
    if len(derived.encode()) > LONGEST_NAME:
        raise Exit(f"{derived}: a database name has at most {LONGEST_NAME} bytes: choose a shorter one", code=1)
    return derived


@contextmanager
def connect(configuration: Configuration) -> Iterator[Cluster]:
    """Connect to the server; drop replaced databases afterwards. Raises Exit if the server is unusable or fails."""
    with database.connect(configuration) as connection, database.exit_on_database_error():
        server = Cluster(configuration, connection)
        yield server
        server.drop_replaced()
