"""compose/postgres/roles.py: the database and its roles, made as on RDS, where nobody is a superuser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import clones

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "compose" / "postgres" / "roles.py"
Environment = dict[str, str]


def test_the_service_reads_and_writes_rows_and_the_migrator_owns_them(rds: Environment) -> None:
    assert run(rds).returncode == 0
    with connect(rds, rds["POSTGRES_USER"], rds["POSTGRES_PASSWORD"]) as migrator:
        migrator.execute("CREATE TABLE parcel (id int)")

    with connect(rds, rds["APP_USER"], rds["APP_PASSWORD"]) as app:
        app.execute("INSERT INTO parcel VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("ALTER TABLE parcel ADD COLUMN weight int")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("INSERT INTO alembic_version VALUES ('0000')")
        locale = app.execute("SELECT datlocale FROM pg_database WHERE datname = current_database()").fetchone()
    assert locale == ("C.UTF-8",)


def test_running_it_again_gives_the_roles_their_new_passwords(rds: Environment) -> None:
    assert run(rds).returncode == 0
    changed = {**rds, "APP_PASSWORD": "another-password"}

    assert run(changed).returncode == 0

    connect(changed, rds["APP_USER"], "another-password").close()
    with pytest.raises(psycopg.OperationalError):
        connect(rds, rds["APP_USER"], rds["APP_PASSWORD"])


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("APP_PASSWORD", None, "roles.py: the variable APP_PASSWORD is missing\n"),
        ("MASTER_PASSWORD", "wrong", "password authentication failed"),
        ("POSTGRES_DB", "nowhere", 'database "nowhere" does not exist'),
    ],
)
def test_what_is_wrong_is_said_in_a_line(rds: Environment, variable: str, value: str | None, said: str) -> None:
    environment = {name: text for name, text in {**rds, variable: value}.items() if text is not None}

    ended = run(environment)

    assert ended.returncode == 1
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def run(environment: Environment) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, SCRIPT], env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def connect(rds: Environment, user: str, password: str) -> "psycopg.Connection[tuple[str]]":
    return psycopg.connect(
        host=rds["POSTGRES_HOST"], port=rds["POSTGRES_PORT"], dbname=rds["APPLICATION_DB"],
        user=user, password=password, autocommit=True,
    )  # fmt: skip


@pytest.fixture
def rds(run_environment: dict[str, str]) -> Iterator[Environment]:
    """With a master user who may what RDS's may."""
    name = clones.new_name()
    master, app, migrator = (f"{name}_{role}" for role in ("master", "app", "migrator"))
    with clones.connect(run_environment) as superuser:
        superuser.execute(f"CREATE ROLE \"{master}\" LOGIN CREATEROLE CREATEDB PASSWORD 'masters-password'".encode())
        superuser.execute(f'GRANT pg_signal_backend TO "{master}" WITH ADMIN OPTION'.encode())
        yield {
            **{place: run_environment[place] for place in ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB")},
            "APPLICATION_DB": name,
            "APP_USER": app,
            "APP_PASSWORD": "the-service's: \\password",
            "POSTGRES_USER": migrator,
            "POSTGRES_PASSWORD": "the-migrators-password",
            "MASTER_USER": master,
            "MASTER_PASSWORD": "masters-password",
        }
        superuser.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        superuser.execute(f'REVOKE pg_signal_backend FROM "{master}" CASCADE'.encode())
        for role in (app, migrator, master):
            superuser.execute(f'DROP ROLE IF EXISTS "{role}"'.encode())
