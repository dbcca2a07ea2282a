"""Reports of failures in test runs: kept databases, broken migrations, and servers that end."""

import re
import subprocess
from pathlib import Path

import pytest

from groundwork.testing import database_pool
from packages.groundwork.tests.conftest import Clone, on_small_disk
from packages.groundwork.tests.testing.suite.runs import USES_A_DATABASE, USES_A_SESSION, USES_THE_SERVER, Run
from packages.groundwork.tests.testing.suite.runs import run_name as _run_name
from packages.groundwork.tests.testing.suite.runs import run_pytest as _pytest

FAILS = "def test_fails(database): assert not database\n"
ENDS_THE_SERVER = """
import os, signal
def test_ends_the_server(run_environment):
    from groundwork.testing import database_pool
    with database_pool.connect(run_environment) as connection:
        data = connection.execute("SHOW data_directory").fetchone()[0]
    os.kill(int(open(data + "/postmaster.pid").readline()), signal.SIGQUIT)
"""
ENDS_THE_CONTAINER = """
import subprocess
from groundwork.testing.container import LABEL
def test_ends_the_container(run_environment):
    found = subprocess.check_output(["docker", "ps", "--quiet", "--filter", "label=" + LABEL], text=True)
    subprocess.run(["docker", "kill", *found.split()], check=True)
"""
FILLS_THE_DISK = """
from sqlalchemy import text
def test_fills_the_disk(session):
    rows = "SELECT generate_series(1, 5000000)"
    session.execute(text("CREATE TABLE large AS " + rows))
"""


def test_a_failed_tests_database_is_kept_and_said(run: Run, clone: Clone, stop: None) -> None:
    finished = run(FAILS, USES_A_DATABASE, "--keep")

    assert finished.returncode == 1
    told = r"kept for tests/test_0.py::test_fails: psql --host localhost --port (\d+) --username postgres (\S+)"
    ((port, name),) = re.findall(told, finished.stdout)
    assert name in _databases(clone, port)

    assert run(USES_A_DATABASE, "--keep").returncode == 0

    assert not [name for name in _databases(clone, port) if name.startswith("test")]


def test_without_keep_no_line_leads_to_a_server_that_has_ended(run: Run) -> None:
    finished = run(FAILS)

    assert "the databases of failed tests end with the run; --keep keeps them" in finished.stdout
    assert "psql --host" not in finished.stdout


def test_a_migration_that_fails_is_one_error_with_its_name(run: Run, clone: Clone) -> None:
    first = next((clone.folder / "alembic" / "versions").glob("*.py"))
    upgrade = "def upgrade() -> None:\n"
    first.write_text(first.read_text().replace(upgrade, f'{upgrade}    op.execute("SELEKT")\n'))

    finished = run(*[USES_THE_SERVER] * 4, "-n", "2")

    assert finished.returncode != 0
    assert "no PostgreSQL for the tests" in finished.stdout
    assert f"failed at alembic/versions/{first.name}:" in finished.stdout
    assert 'syntax error at or near "SELEKT"' in finished.stdout
    assert _reported(finished) <= 2


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_server_that_goes_in_the_middle_is_one_sentence(run: Run, workers: str) -> None:
    many = "".join(USES_A_SESSION.replace("test_session", f"test_{number}") for number in range(50))

    finished = run(ENDS_THE_SERVER, many, "-n", workers)

    assert finished.returncode != 0
    assert "the tests' PostgreSQL has gone in the middle of the run" in finished.stdout
    assert _reported(finished) <= 2 * max(1, int(workers))


@pytest.mark.engine
def test_a_container_that_goes_in_the_middle_is_one_sentence(clone: Clone) -> None:
    del clone.environment["DOCKER_HOST"]
    many = "".join(USES_A_SESSION.replace("test_session", f"test_{number}") for number in range(50))

    try:
        finished = _pytest(clone, ENDS_THE_CONTAINER, many)
    finally:
        image = f"{_run_name(clone.folder)}:*"
        listed = subprocess.run(["docker", "images", "--quiet", image], capture_output=True, text=True, check=True)
        subprocess.run(["docker", "rmi", "--force", *listed.stdout.split()], capture_output=True, check=True)

    assert finished.returncode != 0
    assert "the tests' PostgreSQL has gone in the middle of the run" in finished.stdout
    assert _reported(finished) <= 2
    assert _containers(clone) == []


@pytest.mark.mount
def test_a_full_disk_is_one_sentence(run: Run, clone: Clone, tmp_path: Path) -> None:
    clone.environment["TMPDIR"] = str(tmp_path / "small")
    small = on_small_disk(tmp_path / "small", "90m")
    without_memory = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=1m none /dev/shm && exec "$@"', "sh"]

    finished = run(FILLS_THE_DISK, USES_A_SESSION, before=[*small, *without_memory])

    assert finished.returncode != 0
    assert "the tests' PostgreSQL has no room left" in finished.stdout


def _containers(clone: Clone) -> list[str]:
    label = f"label={_run_name(clone.folder)}.keeper"
    listing = ["docker", "ps", "--all", "--quiet", "--filter", label]
    return subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()


def _reported(finished: "subprocess.CompletedProcess[str]") -> int:
    """Return the number of tests with a failure or error."""
    return len(re.findall(r"^(?:ERROR|FAILED) tests/", finished.stdout, flags=re.MULTILINE))


def _databases(clone: Clone, port: str) -> list[str]:
    password = (clone.folder / ".local" / "secrets" / "testing" / "POSTGRES_PASSWORD").read_text()
    place = {"POSTGRES_HOST": "localhost", "POSTGRES_PORT": port}
    with database_pool.connect(
        {**place, "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": password}, "postgres"
    ) as connection:
        return [str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")]
