"""PostgreSQL servers of test runs: one for all workers, reuse, and cleanup after killed runs."""

import os
import signal
import subprocess
import sys
import time

from groundwork.postgresql import embedded as postgres
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.testing.suite.runs import (
    USES_A_DATABASE,
    USES_A_SESSION,
    USES_NONE,
    USES_THE_SERVER,
    Run,
)
from packages.groundwork.tests.testing.suite.runs import data_of as _data_of
from packages.groundwork.tests.testing.suite.runs import write as _write

SLEEPS = """
import time
def test_sleeps(run_environment):
    open("sleeping", "w").close()
    time.sleep(60)
"""


def test_tests_without_a_database_start_no_server(run: Run) -> None:
    finished = run(USES_NONE)

    assert finished.returncode == 0
    assert "PostgreSQL:" not in finished.stdout


def test_the_workers_of_a_run_share_one_server(run: Run) -> None:
    finished = run(USES_A_SESSION, USES_A_DATABASE, USES_A_SESSION, "-n", "2")

    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.count("PostgreSQL: embedded") == 1


def test_reuse_leaves_the_server_and_stop_ends_it(run: Run, clone: Clone, stop: None) -> None:
    first, second = run(USES_A_DATABASE, "--reuse"), run(USES_THE_SERVER, "--reuse")
    assert (first.returncode, second.returncode) == (0, 0)
    (data,) = _data_of(clone)
    pid = postgres.running_pid(data)
    assert pid is not None

    assert run(USES_THE_SERVER).returncode == 0
    assert postgres.running_pid(data) == pid

    assert clone.inv("test", "--stop").returncode == 0
    assert clone.processes() == []


def test_a_migration_makes_another_template(run: Run, clone: Clone, stop: None) -> None:
    run(USES_THE_SERVER, "--reuse")
    (before,) = _data_of(clone)
    first = next((clone.folder / "alembic" / "versions").glob("*.py"))
    first.write_text(first.read_text() + "\n# changed\n")

    assert run(USES_THE_SERVER, "--reuse").returncode == 0

    (after,) = _data_of(clone)
    assert after != before


def test_a_run_that_was_killed_leaves_nothing_for_the_one_after_the_next(run: Run, clone: Clone) -> None:
    _write(clone, SLEEPS)
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-n", "2", "tests/test_0.py"],
        cwd=clone.folder,
        env=clone.environment,
        stdout=subprocess.DEVNULL,
        process_group=0,
    ) as killed:
        deadline = time.monotonic() + 60
        while not (clone.folder / "sleeping").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(killed.pid, signal.SIGKILL)
    (left,) = _data_of(clone)
    assert postgres.running_pid(left) is not None

    assert run(USES_THE_SERVER).returncode == 0

    assert _data_of(clone) == []
    assert clone.processes() == []


def test_two_runs_at_once_do_not_disturb_each_other(clone: Clone, stop: None) -> None:
    _write(clone, USES_A_DATABASE + USES_A_SESSION)
    command = [sys.executable, "-m", "pytest", "-n", "0", "--reuse", "tests/test_0.py"]
    runs = [
        subprocess.Popen(command, cwd=clone.folder, env=clone.environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    printed = [one.communicate(timeout=120)[0] for one in runs]

    assert [one.returncode for one in runs] == [0, 0], printed
    assert len(_data_of(clone)) == 1
