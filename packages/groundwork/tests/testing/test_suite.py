"""Test runs as a whole: servers, leftovers and reports of failures."""

import errno
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from groundwork.postgresql import embedded as postgres
from groundwork.system import paths
from groundwork.testing import database_pool, embedded, requirements, server_lifecycle
from packages.groundwork.tests.conftest import Clone, make_clone, on_small_disk

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRESS = ("-p", "groundwork.testing.progress")
USES_NONE = "def test_none(): pass\n"
USES_THE_SERVER = "def test_server(run_environment): assert run_environment\n"
BREAKS = "def test_breaks(): assert False\n"
USES_A_SESSION = "def test_session(session): assert session.connection()\n"
USES_A_DATABASE = "def test_database(database): database.app()\n"
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


def test_each_need_that_a_test_can_be_marked_with_is_looked_for(pytestconfig: pytest.Config) -> None:
    registered = re.findall(r"^(\w+): needs ", "\n".join(pytestconfig.getini("markers")), flags=re.MULTILINE)

    assert sorted(registered) == sorted(requirements.WHY_MISSING)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_in_a_pipe_each_file_is_a_line_when_it_begins(run: Run, workers: str) -> None:
    finished = run(USES_NONE, BREAKS, USES_NONE, *PROGRESS, "-n", workers)

    shown = re.findall(r"^ *(\d+)%(?:  1 failed)?  (\S+)$", finished.stdout, flags=re.MULTILINE)
    assert sorted(file for _, file in shown) == [f"tests/test_{number}.py" for number in range(3)]
    assert shown[0][0] == "0"
    assert "FAILED tests/test_1.py::test_breaks" in finished.stdout


def test_on_a_terminal_one_line_is_redrawn_and_gone_at_the_end(clone: Clone) -> None:
    places = _write(clone, BREAKS, USES_NONE)
    terminal, its_other_end = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "groundwork.testing.progress",
        "-n",
        "0",
        *places,
    ]

    with subprocess.Popen(command, cwd=clone.folder, env=clone.environment, stdout=its_other_end) as running:
        os.close(its_other_end)
        shown = b"".join(iter(lambda: _read(terminal), b"")).decode()
        assert running.wait(timeout=60) == 1

    os.close(terminal)
    drawn = [line.strip() for line in shown.split("\r")]
    assert [line for line in drawn if line.endswith(".py")] == ["0%  tests/test_0.py", "50%  1 failed  tests/test_1.py"]
    assert drawn[drawn.index("50%  1 failed  tests/test_1.py") + 1] == ""


def test_with_v_pytest_reports_as_always(run: Run) -> None:
    finished = run(USES_NONE, *PROGRESS, "-v")

    assert "tests/test_0.py::test_none PASSED" in finished.stdout


def _read(terminal: int) -> bytes:
    """Read from the terminal. Return nothing if its other end is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError as closed:
        if closed.errno != errno.EIO:
            raise
        return b""


@pytest.fixture(scope="session")
def archive() -> Path:
    """Return the archive of a migrated server, built once for all clones."""
    kind = embedded.Embedded(server_lifecycle.settings(), "the clones have no engine")
    server_lifecycle.make(kind)
    return kind.archive


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Clone:
    """Return one clone for all tests of this module, because a new clone would recompile all modules."""
    shared = make_clone(tmp_path_factory.mktemp("suite"))
    for part in (paths.LOCAL / "secrets" / "testing", archive.parent):
        shutil.copytree(part, shared.folder / part.relative_to(paths.ROOT))
    shutil.rmtree(shared.folder / "tests" / "app")
    return shared


@pytest.fixture
def clone(shared: Clone) -> Iterator[Clone]:
    """Yield the clone in its original state, with compiled files. Fail if processes are left running."""
    shutil.copytree(paths.ROOT / "alembic", shared.folder / "alembic", dirs_exist_ok=True)
    for left in (*(shared.folder / "tests").glob("test_?.py"), shared.folder / "sleeping"):
        left.unlink(missing_ok=True)
    yield replace(shared, environment=dict(shared.environment))
    running = shared.processes()
    for process in running:
        process.kill()
    assert not running, "something was left running"


@pytest.fixture
def run(clone: Clone) -> Iterator[Run]:
    """Yield a function that runs test modules with the project's conftest. Fail if data is left in memory."""

    def run(*modules_and_options: str, before: list[str] | None = None) -> "subprocess.CompletedProcess[str]":
        return _pytest(clone, *modules_and_options, before=before)

    yield run
    assert _data_of(clone) == []


@pytest.fixture
def stop(clone: Clone, run: Run) -> Iterator[None]:
    yield
    clone.inv("test", "--stop")


def _write(clone: Clone, *modules: str) -> list[str]:
    for number, module in enumerate(modules):
        (clone.folder / "tests" / f"test_{number}.py").write_text(module)
    return [f"tests/test_{number}.py" for number in range(len(modules))]


def _pytest(
    clone: Clone, *modules_and_options: str, before: list[str] | None = None
) -> "subprocess.CompletedProcess[str]":
    modules = [text for text in modules_and_options if "def test_" in text]
    options = [text for text in modules_and_options if "def test_" not in text]
    places = _write(clone, *modules)
    return subprocess.run(
        [*(before or []), sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *places],
        cwd=clone.folder,
        env=clone.environment,
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def _run_name(folder: Path) -> str:
    """Return the name prefix of the clone's servers."""
    program = "from groundwork.testing import template; print(template.OF_THIS_CHECKOUT)"
    printed = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    return printed.stdout.strip()


def _data_of(clone: Clone) -> list[Path]:
    return sorted(embedded.memory().glob(f"{_run_name(clone.folder)}-*~data"))


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
