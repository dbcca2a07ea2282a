"""Creation of the database and its roles without a superuser, as on RDS."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.shop import products
from groundwork.flask.database import db
from groundwork.system import shell
from groundwork.testing import database_pool, service
from groundwork.testing.server_lifecycle import dedicated_server
from tests import accounts

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


def test_the_service_does_its_work_and_cannot_change_the_audit_log(
    rds: Environment, run_environment: Environment
) -> None:
    assert run(rds).returncode == 0
    shell.read(shell.python("alembic", "upgrade", "head"), {**run_environment, **rds})

    statuses = work(
        {**run_environment, **rds, "POSTGRES_USER": rds["APP_USER"], "POSTGRES_PASSWORD": rds["APP_PASSWORD"]}
    )
    assert run(rds).returncode == 0

    assert statuses == [201, 201, 200, 204]
    with connect(rds, rds["APP_USER"], rds["APP_PASSWORD"]) as app:
        assert app.execute("SELECT count(*)::text FROM order_events").fetchone() == ("2",)
        for change in ("DELETE FROM {}", "UPDATE {} SET order_id = order_id", "TRUNCATE {}"):
            for table in ("order_events", "order_lines"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(change.format(table).encode())


def test_the_service_makes_no_temporary_table_in_any_database(tmp_path: Path) -> None:
    with dedicated_server(tmp_path / "data", {}) as (_, database):
        rds = {
            **{name: database.environment[name] for name in ("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB")},
            "MASTER_USER": database.environment["POSTGRES_USER"],
            "MASTER_PASSWORD": database.environment["POSTGRES_PASSWORD"],
            "APPLICATION_DB": "shop",
            "APP_USER": "app",
            "APP_PASSWORD": "the-services-password",
            "POSTGRES_USER": "migrator",
            "POSTGRES_PASSWORD": "the-migrators-password",
        }
        ended = run(rds)

        assert ended.returncode == 0, ended.stderr
        with connect(rds, "app", "the-services-password") as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TEMPORARY TABLE mine (id int)")
        maintenance = {**rds, "APPLICATION_DB": rds["POSTGRES_DB"]}
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect(maintenance, "app", "the-services-password")
        connect(maintenance, "migrator", "the-migrators-password").close()


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
        ("APP_PASSWORD", None, "roles: the variable APP_PASSWORD is missing\n"),
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


def work(environment: Environment) -> list[int]:
    """Order, cancel and sign out as the service does, and delete expired records."""
    app = service.create(environment)
    with app.app_context():
        session = db.session()
        clerk = accounts.clerk(session)
        product = products.add(session, "MUG-01", "Mug", 1800, 12)
        session.commit()
        line = {"product_id": product.id, "quantity": 1}
    client = app.test_client()
    ada = client.post("/api/users", json=accounts.ADA)
    token = client.post("/api/tokens", json={name: accounts.ADA[name] for name in ("email", "password")}).get_json()
    headers = {"Authorization": f"Bearer {token['token']}", "Idempotency-Key": "1"}
    order = client.post("/api/orders", json={"lines": [line]}, headers=headers)
    changed = client.patch(order.headers["Location"], json={"status": "cancelled"}, headers=clerk)
    gone = client.delete(f"/api/tokens/{token['id']}", headers=headers)
    pruned = app.test_cli_runner().invoke(args=["prune"])
    service.dispose(app)
    assert pruned.exit_code == 0, pruned.output
    return [ada.status_code, order.status_code, changed.status_code, gone.status_code]


def run(environment: Environment) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "groundwork.migrations.roles"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def connect(rds: Environment, user: str, password: str) -> "psycopg.Connection[tuple[str]]":
    return psycopg.connect(
        host=rds["POSTGRES_HOST"], port=rds["POSTGRES_PORT"], dbname=rds["APPLICATION_DB"],
        user=user, password=password, autocommit=True,
    )  # fmt: skip


@pytest.fixture
def rds(run_environment: dict[str, str]) -> Iterator[Environment]:
    """Yield an environment with a master user that has the privileges of RDS's master user."""
    name = database_pool.new_name()
    master, app, migrator = (f"{name}_{role}" for role in ("master", "app", "migrator"))
    with database_pool.connect(run_environment) as superuser:
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
