"""Migrations, run as they are in production: by the command line, each in a process of its own."""

import subprocess
import sys

from sqlalchemy import text

from groundwork.system import paths
from groundwork.testing.service import Database

TABLES = text("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")


def test_the_models_and_the_migrations_agree(database: Database) -> None:
    run(database, "check")


def test_down_and_up_again(database: Database) -> None:
    before = tables(database)

    run(database, "downgrade", "base")
    down = tables(database)
    run(database, "upgrade", "head")

    assert down == 1  # Alembic's own
    assert tables(database) == before
    run(database, "check")


def run(database: Database, *command: str) -> None:
    alembic = [sys.executable, "-m", "alembic", *command]
    done = subprocess.run(
        alembic, cwd=paths.ROOT, env=database.environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def tables(database: Database) -> int:
    with database.session() as session:
        return int(session.scalars(TABLES).one())
