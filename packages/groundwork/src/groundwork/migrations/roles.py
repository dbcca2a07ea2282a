"""The service's database, its two roles and their privileges, created or updated.

The production stack passes a function that runs psql in its container. On RDS, `migrate` runs
`python -m groundwork.migrations.roles` before Alembic, as the master user, who is no superuser; it sends passwords as
SCRAM verifiers, the form the server stores.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier, Literal

CREATE = SQL(
    "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8';"
)
# The log would show a statement that fails or is slow, with its password.
UNLOGGED = """
SET client_min_messages = warning;
SELECT set_config(name, value, false)
FROM (VALUES ('log_min_error_statement', 'panic'), ('log_min_duration_statement', '-1')) AS setting (name, value)
WHERE has_parameter_privilege(current_user, name, 'SET');
"""

Run = Callable[[str, str], object]
"""Function that runs SQL in a database. It returns something true if the last statement returned rows."""


def create(run: Run, maintenance: str, database: str, app: tuple[str, str], migrator: tuple[str, str]) -> None:
    """Create the roles, each with its name and password, and the database; grant the privileges."""
    names = ("app", "app_password", "migrator", "migrator_password")
    settings = [
        SQL("SET {} = {};\n").format(Identifier("roles", name), Literal(value)).as_string()
        for name, value in zip(names, (*app, *migrator), strict=True)
    ]
    begin = "".join((UNLOGGED, *settings))
    run(maintenance, begin + Path(__file__).with_name("roles.sql").read_text("utf-8"))
    if not run(maintenance, SQL("SELECT 1 FROM pg_database WHERE datname = {};").format(Literal(database)).as_string()):
        run(maintenance, CREATE.format(Identifier(database), Identifier(migrator[0])).as_string())
    run(database, begin + Path(__file__).with_name("privileges.sql").read_text("utf-8"))


def create_on_rds(environ: Mapping[str, str]) -> None:
    """Create them as the master user. Raise psycopg.Error if a statement fails, KeyError if a variable is missing."""

    def connect(database: str) -> "psycopg.Connection[tuple[str]]":
        return psycopg.connect(
            host=environ["POSTGRES_HOST"],
            port=environ["POSTGRES_PORT"],
            dbname=database,
            user=environ["MASTER_USER"],
            password=environ["MASTER_PASSWORD"],
            connect_timeout=10,
            autocommit=True,
        )

    def run(database: str, script: str) -> bool:
        with connect(database) as connection:
            return connection.execute(script.encode()).rowcount > 0

    def with_verifier(role: str, password: str) -> tuple[str, str]:
        return role, maintenance.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()

    with connect(environ["POSTGRES_DB"]) as maintenance:
        app = with_verifier(environ["APP_USER"], environ["APP_PASSWORD"])
        migrator = with_verifier(environ["POSTGRES_USER"], environ["POSTGRES_PASSWORD"])
        create(run, environ["POSTGRES_DB"], environ["APPLICATION_DB"], app, migrator)


if __name__ == "__main__":
    try:
        create_on_rds(os.environ)
    except KeyError as missing:
        sys.exit(f"roles: the variable {missing.args[0]} is missing")
    except psycopg.Error as error:
        sys.exit(f"roles: {' '.join(str(error).split())}")
