"""Migrations, run as they are in production: by the command line, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tests.service import Database

ROOT = Path(__file__).resolve().parent.parent.parent
TABLES = text("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_heads()) == 1


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
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *command],
        cwd=ROOT,
        env=database.environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def tables(database: Database) -> int:
    with database.session() as session:
        return int(session.scalars(TABLES).one())
