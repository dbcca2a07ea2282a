"""roles.sql where there is no psql: on RDS `migrate` runs it before Alembic, as the master user, who is no superuser.

It understands of psql what that file uses. Passwords travel as what the server keeps of them, SCRAM verifiers.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
from psycopg import sql

ROLES = Path(__file__).with_name("roles.sql")
VARIABLE = re.compile(r""":(['"])(\w+)\1""")
EACH_ROW_IS_A_STATEMENT = r"\gexec"


def statements(script: str) -> Iterator[str]:
    """A line of it that begins with a backslash, or what ends with one, or with a semicolon."""
    lines: list[str] = []
    for line in script.splitlines():
        if line.strip() and not line.startswith("--"):
            lines.append(line)
        if lines and (line.startswith("\\") or line.endswith((";", EACH_ROW_IS_A_STATEMENT))):
            yield "\n".join(lines)
            lines.clear()


def run(script: str, environ: dict[str, str]) -> None:
    """Raises psycopg.Error, and KeyError for a variable that is not there."""
    with ExitStack() as opened:
        connection = first = opened.enter_context(_connect(environ, environ["POSTGRES_DB"]))
        values = {
            "database": environ["APPLICATION_DB"],
            "app": environ["APP_USER"],
            "app_password": _verifier(first, environ["APP_USER"], environ["APP_PASSWORD"]),
            "migrator": environ["POSTGRES_USER"],
            "migrator_password": _verifier(first, environ["POSTGRES_USER"], environ["POSTGRES_PASSWORD"]),
        }
        for statement in statements(script):
            if statement.startswith(r"\connect"):
                connection = opened.enter_context(_connect(environ, values["database"]))
            elif statement.endswith(EACH_ROW_IS_A_STATEMENT):
                query = statement.removesuffix(EACH_ROW_IS_A_STATEMENT)
                for (made,) in connection.execute(_filled_in(query, values)).fetchall():
                    connection.execute(made)
            elif not statement.startswith("\\"):
                connection.execute(_filled_in(statement, values))


def _connect(environ: dict[str, str], database: str) -> "psycopg.Connection[tuple[str]]":
    return psycopg.connect(
        host=environ["POSTGRES_HOST"],
        port=environ["POSTGRES_PORT"],
        dbname=database,
        user=environ["MASTER_USER"],
        password=environ["MASTER_PASSWORD"],
        connect_timeout=10,
        autocommit=True,
    )


def _verifier(connection: "psycopg.Connection[tuple[str]]", role: str, password: str) -> str:
    return connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()


def _filled_in(statement: str, values: dict[str, str]) -> sql.Composed:
    def quoted(found: re.Match[str]) -> str:
        value = values[found[2]]
        return (sql.Literal(value) if found[1] == "'" else sql.Identifier(value)).as_string()

    return sql.Composed([sql.SQL(VARIABLE.sub(quoted, statement))])  # type: ignore[arg-type]  # of our own file


if __name__ == "__main__":
    try:
        run(ROLES.read_text("utf-8"), dict(os.environ))
    except KeyError as missing:
        sys.exit(f"roles.py: the variable {missing.args[0]} is missing")
    except psycopg.Error as error:
        sys.exit(f"roles.py: {' '.join(str(error).split())}")
