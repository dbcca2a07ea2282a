"""The databases of one server, whole: copied as files, described, kept as templates, put in each other's place.

A description is JSON in the database's comment, which a copy has not.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from ops import database, shell
from ops.configuration import Configuration

if TYPE_CHECKING:
    import psycopg

LONGEST_NAME = 63  # bytes: PostgreSQL cuts what is longer, and would take another database for it
DRAFT, REPLACED = "draft", "replaced"
LOCK = 5_112_946_305  # makes hashed names our own among the advisory locks of the maintenance database
POLL_SECONDS = 0.1  # as often as PostgreSQL looks whether the others have gone
SECONDS_TO_GO = 0.002
Description = Mapping[str, Any]


class Cluster:
    def __init__(self, configuration: Configuration, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self.configuration = configuration
        self._connection = connection
        self._replaced: list[str] = []

    @property
    def major(self) -> int:
        """The server's version, without its minor one."""
        return self._connection.info.server_version // 10_000

    def described(self, prefix: str) -> dict[str, Description]:
        """Those whose names begin with it, the oldest first; what has no description is none of ours."""
        rows = self._connection.execute(
            """
            SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database
            WHERE starts_with(datname, %s) AND shobj_description(oid, 'pg_database') IS NOT NULL ORDER BY oid
            """,
            [prefix],
        )
        return {str(name): json.loads(str(described)) for name, described in rows}

    def size(self, name: str) -> str:
        """On the disk, as people read it."""
        row = self._connection.execute("SELECT pg_size_pretty(pg_database_size(%s::name))", [name]).fetchone()
        return str(row[0]) if row else ""

    def create(self, name: str) -> None:
        self._execute(f"CREATE DATABASE {{}} {database.FROM_NOTHING}", name)

    def copy(self, source: str, name: str) -> None:
        """Whoever is connected to the source is disconnected; whoever comes meanwhile waits until the copy is made."""
        with self._without_clients(source):
            self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, source)

    def describe(self, name: str, description: Description) -> None:
        from psycopg import sql

        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        self._connection.execute(comment.format(sql.Identifier(name), sql.Literal(json.dumps(description))))

    def keep(self, draft: str, name: str, description: Description) -> None:
        """Make a template of a finished draft: it has the name, and the description, once it is whole."""
        with self._without_clients(draft), self._connection.transaction():
            self.describe(draft, description)
            self._execute("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false", draft)
            self._execute("ALTER DATABASE {} RENAME TO {}", draft, name)

    def replace(self, name: str, draft: str) -> None:
        """Put a finished draft in the place of a database, under whoever is connected to that.

        Every moment one of the two has the name. What was replaced is dropped by `drop_replaced`: its files take a
        while, and the draft can be used meanwhile.
        """
        with self._without_clients(name, draft), self._connection.transaction():
            self._execute("ALTER DATABASE {} RENAME TO {}", name, beside(name, REPLACED))
            self._execute("ALTER DATABASE {} RENAME TO {}", draft, name)
        self._replaced.append(beside(name, REPLACED))

    def drop_replaced(self) -> None:
        for name in self._replaced:
            self.drop(name)

    def drop(self, *names: str) -> None:
        """Under whoever is connected; without a word where there is none."""
        asked = "SELECT datname, datistemplate FROM pg_database WHERE datname = ANY(%s)"
        for name, is_template in self._connection.execute(asked, [list(names)]).fetchall():
            if is_template:
                self._execute("ALTER DATABASE {} IS_TEMPLATE false", str(name))
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(name))

    @contextmanager
    def draft(self, name: str) -> Iterator[str]:
        """The name of a draft for a database, or for what is made from it; dropped where what is inside fails.

        One task at a time is at work on it: the server frees the lock of one that was killed when it has ended that
        one's last statement. What it left is dropped first.
        """
        import psycopg

        if name == self.configuration["POSTGRES_DB"]:  # to which we are connected ourselves
            raise Exit(f"{name} is the maintenance database too: give APPLICATION_DB a name of its own", code=1)
        draft, key = beside(name, DRAFT), [name, LOCK]
        taken = self._connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", key).fetchone()
        if taken != (True,):
            shell.note(f"another task is at work on {name}: waiting for it")
            self._connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, %s))", key)
        self.drop(draft, beside(name, REPLACED))
        try:
            yield draft
        except BaseException:
            with shell.uninterrupted(), suppress(psycopg.Error):  # what failed first is what to tell
                self.drop(draft)
            raise
        finally:
            with suppress(psycopg.Error):
                self._connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, %s))", key)

    @contextmanager
    def _without_clients(self, *names: str) -> Iterator[None]:
        """Disconnect whoever is connected, until the statement inside has the lock that it takes on the database.

        It waits for them, some seconds long, and looks every tenth of a second whether they have gone; so it begins
        once they have, or others come without end. Who comes then waits for its lock. To refuse them by
        ALLOW_CONNECTIONS would leave a database that nobody can use, when this process is killed before it is set back.
        """
        import psycopg

        done = threading.Event()

        def insist() -> None:
            if done.wait(POLL_SECONDS):
                return
            # What stands in its way, the statement that waits will say.
            with suppress(Exit, psycopg.Error), database.connect(self.configuration) as connection:
                while not done.is_set():
                    _disconnect(connection, names)
                    done.wait(POLL_SECONDS)

        patience = time.monotonic() + POLL_SECONDS
        while _disconnect(self._connection, names) and time.monotonic() < patience:
            time.sleep(SECONDS_TO_GO)
        thread = threading.Thread(target=insist, daemon=True)
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
    """Returns how many were still there."""
    told = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)"
    return connection.execute(told, [list(names)]).rowcount


def beside(name: str, what: str) -> str:
    """The name of what belongs to a database. Raises Exit where PostgreSQL would cut it."""
    made = f"{name}~{what}"
    if len(made.encode()) > LONGEST_NAME:
        raise Exit(f"{made}: a database's name has {LONGEST_NAME} bytes at most: choose a shorter one", code=1)
    return made


@contextmanager
def opened(configuration: Configuration) -> Iterator[Cluster]:
    """Raises Exit, with the reason in a line, where the server cannot be used, or gives up."""
    with database.connect(configuration) as connection, database.failures():
        server = Cluster(configuration, connection)
        yield server
        server.drop_replaced()
