"""Options, server and reports of a run.

The first process that needs the server starts it: pytest itself, or a worker of pytest-xdist. All share a folder with
its address. The server belongs to the main process, which ends it.
"""

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from groundwork.system import environment, process_owner
from groundwork.system.paths import NAME

FOLDER = pytest.StashKey[Path]()
OWNER = pytest.StashKey[str]()
"""Identity of the main process."""
FAILED = pytest.StashKey[bool]()
ADDRESS = "server.json"
"""File in the folder with the environment to connect to the server, or with the error of its start."""
LOCK = "server.lock"
"""File that stays in the folder once a process has asked for the server."""
LIBRARIES = ("alembic", "click", "flask", "psycopg", "sqlalchemy", "werkzeug")
WAL_SEGMENT_BYTES = 16 * 1024**2


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("database")
    group.addoption("--keep", action="store_true", help="keep the databases of failed tests after the run")
    group.addoption("--reuse", action="store_true", help="leave the server running for the next run with --reuse")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    environment.enter()
    environment.drop_tls()
    os.environ.pop("PYTEST_ADDOPTS", None)  # pytest has read it; runs that a test starts must not inherit it


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scenario(name, size, seed): the test's `database` has that scenario in it")
    hear_ctrl_c()
    main = getattr(config, "workerinput", {})
    config.stash[FOLDER] = Path(main.get("folder") or tempfile.mkdtemp(prefix=f"{NAME}-tests-{os.getpid()}-"))
    config.stash[OWNER] = main.get("owner") or process_owner.identity()


def hear_ctrl_c() -> None:
    """Restore the default SIGINT handler: shells ignore SIGINT in background jobs, and child processes inherit this."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _outlives(config: pytest.Config) -> bool:
    return bool(config.getoption("--reuse") or config.getoption("--keep"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of workers for `-n auto`: one per 50 tests, because starting one costs about as much."""
    definitions = sum(
        path.read_text("utf-8").count("def test_")
        for argument in config.args
        for path in _modules(Path(argument.partition("::")[0]))
    )
    return min(os.cpu_count() or 1, definitions // 50)


def _modules(place: Path) -> Iterable[Path]:
    return place.rglob("test_*.py") if place.is_dir() else [place] if place.is_file() else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run Terraform tests first: they wait for minutes, while other workers run the rest."""
    items.sort(key=lambda item: item.get_closest_marker("terraform") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["folder"] = str(node.config.stash[FOLDER])
    node.workerinput["owner"] = node.config.stash[OWNER]


def pytest_unconfigure(config: pytest.Config) -> None:
    if FOLDER not in config.stash or hasattr(config, "workerinput"):
        return
    if (config.stash[FOLDER] / LOCK).exists():
        from groundwork.testing import server_lifecycle

        server_lifecycle.discard(config.stash[OWNER])
        server_lifecycle.discard_abandoned()
    shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.excinfo:
        _hide_libraries()
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    if report.failed and call.excinfo and (reason := _why_no_test_can_go_on(item.config, call.excinfo.value)):
        item.session.shouldfail = reason
    return report


def _hide_libraries() -> None:
    """Hide library frames in tracebacks, because they are the largest part; `--full-trace` shows them."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in LIBRARIES:
            vars(module)["__tracebackhide__"] = True


def _why_no_test_can_go_on(config: pytest.Config, error: BaseException) -> str | None:
    """Return why no further test can pass, if the server has failed; this replaces one failure per test."""
    if isinstance(error, NoServer):
        return f"no PostgreSQL for the tests: {error}"
    while error.__cause__ is not None:
        error = error.__cause__
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("psycopg")}
    if "DiskFull" in names:
        return f"the tests' PostgreSQL has no room left: {error}"
    if "OperationalError" in names and not _answers(config):
        if full := _full_place(config):
            return f"the tests' PostgreSQL has no room left in {full}, and has gone in the middle of the run"
        return "the tests' PostgreSQL has gone in the middle of the run"
    return None


def _full_place(config: pytest.Config) -> Path | None:
    """Return the folder of the embedded server if it lacks space for WAL, which stops the server."""
    from groundwork.testing import embedded

    place = embedded.memory()
    is_full = shutil.disk_usage(place).free < 2 * WAL_SEGMENT_BYTES
    return place if is_full and "embedded" in server(config)[1] else None


def _answers(config: pytest.Config) -> bool:
    from psycopg import OperationalError

    from groundwork.testing import database_pool

    try:
        database_pool.connect(server(config)[0]).close()
    except OperationalError:
        return False
    return True


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the PostgreSQL that the tests used, and the databases of failed tests."""
    folder = config.stash[FOLDER]
    try:
        connection, described = server(config) if (folder / ADDRESS).exists() else ({}, "")
    except NoServer:
        return  # already reported by every test that needs it
    if described:
        terminalreporter.write_line(f"PostgreSQL: {described}")
    kept = sorted((folder / "kept").iterdir()) if (folder / "kept").exists() else []
    if kept and not _outlives(config):
        terminalreporter.write_line("the databases of failed tests end with the run; --keep keeps them")
        return
    for place in kept:
        terminalreporter.write_line(f"kept for {place.read_text('utf-8')}: {_psql(connection, place.name)}")


def note_kept(request: pytest.FixtureRequest, name: str) -> None:
    """Record the database of a failed test for the summary of the run."""
    kept = request.config.stash[FOLDER] / "kept"
    kept.mkdir(exist_ok=True)
    (kept / name).write_text(request.node.nodeid, "utf-8")


def _psql(environment: dict[str, str], name: str) -> str:
    place = ["--host", environment["POSTGRES_HOST"], "--port", environment["POSTGRES_PORT"]]
    return shlex.join(["psql", *place, "--username", environment["POSTGRES_USER"], name])


class NoServer(Exception):
    """Failure to start PostgreSQL for the tests, with a one-line reason."""


def server(config: pytest.Config) -> tuple[dict[str, str], str]:
    """Return the environment of the run's server and its description; start it if no process has. Raises NoServer."""
    from filelock import FileLock

    address = config.stash[FOLDER] / ADDRESS
    with FileLock(config.stash[FOLDER] / LOCK):
        if not address.exists():
            from groundwork.testing import server_lifecycle

            server_lifecycle.write_private(address, _start(config))
    found = json.loads(address.read_text("utf-8"))
    if "error" in found:
        raise NoServer(found["error"])
    return found["environment"], found["described"]


def _start(config: pytest.Config) -> dict[str, object]:
    from groundwork.testing import server_lifecycle

    try:
        started = server_lifecycle.start(config.stash[OWNER], outlives=_outlives(config))
    except Exception as error:  # of any kind, because the other workers need the reason too
        return {"error": str(error) or type(error).__name__}
    return {"environment": started.environment, "described": started.described}
