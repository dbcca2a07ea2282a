"""Command line `python -m groundwork.migrations.roles`: run roles.sql without psql.

On RDS, `migrate` runs it before Alembic, as the master user, who is no superuser.

It supports only the psql features in that file. Passwords are sent as SCRAM verifiers, the form the server stores.
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
    """Yield each statement: a line that starts with a backslash, or lines up to a semicolon or a gexec command."""
    lines: list[str] = []
    for line in script.splitlines():
        if line.strip() and not line.startswith("--"):
            lines.append(line)
        if lines and (line.startswith("\\") or line.endswith((";", EACH_ROW_IS_A_STATEMENT))):
            yield "\n".join(lines)
            lines.clear()


def run(script: str, environ: dict[str, str]) -> None:
    """Execute the script; raise psycopg.Error if a statement fails, KeyError if a variable is missing."""
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

    return sql.Composed([sql.SQL(VARIABLE.sub(quoted, statement))])


if __name__ == "__main__":
    try:
        run(ROLES.read_text("utf-8"), dict(os.environ))
    except KeyError as missing:
        sys.exit(f"roles: the variable {missing.args[0]} is missing")
    except psycopg.Error as error:
        sys.exit(f"roles: {' '.join(str(error).split())}")
