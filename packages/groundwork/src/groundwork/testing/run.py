"""Options, server and reports of a run.

The main pytest process owns the server; pytest-xdist workers are other processes. They communicate by a shared
folder: a worker creates the file `request` and waits for the file `answer`.
"""

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from groundwork.system import environment
from groundwork.system.paths import NAME

FOLDER = pytest.StashKey[Path]()
KEEPER = pytest.StashKey["Keeper"]()
FAILED = pytest.StashKey[bool]()
LIBRARIES = ("alembic", "click", "flask", "psycopg", "sqlalchemy", "werkzeug")
POLL_SECONDS = 0.005
SECONDS_TO_ANSWER = 180
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
    shared = getattr(config, "workerinput", {}).get("folder")
    config.stash[FOLDER] = Path(shared or tempfile.mkdtemp(prefix=f"{NAME}-tests-{os.getpid()}-"))
    if shared is None:
        config.stash[KEEPER] = Keeper(config.stash[FOLDER], _outlives(config))


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


def pytest_unconfigure(config: pytest.Config) -> None:
    if KEEPER in config.stash:
        config.stash[KEEPER].end()
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
    return place if is_full and "embedded" in ask(config.stash[FOLDER])[1] else None


def _answers(config: pytest.Config) -> bool:
    from psycopg import OperationalError

    from groundwork.testing import database_pool

    try:
        database_pool.connect(ask(config.stash[FOLDER])[0]).close()
    except OperationalError:
        return False
    return True


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the PostgreSQL that the tests used, and the databases of failed tests."""
    folder = config.stash[FOLDER]
    try:
        connection, described = ask(folder) if (folder / "answer").exists() else ({}, "")
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


class Keeper:
    """Thread that waits for a request in `folder`, starts the server and writes the environment to connect to it."""

    def __init__(self, folder: Path, outlives: bool) -> None:
        self._folder = folder
        self._outlives = outlives
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ends.set()
        self._thread.join()

    def _wait(self) -> None:
        while not self._ends.wait(POLL_SECONDS):
            if (self._folder / "request").exists():
                self._serve()
                return

    def _serve(self) -> None:
        try:
            from groundwork.testing import server_lifecycle

            started = server_lifecycle.start(outlives=self._outlives)
        except Exception as error:  # of any kind, because the waiting tests need an answer
            _write(self._folder / "answer", {"error": str(error) or type(error).__name__})
            return
        _write(self._folder / "answer", {"environment": started.environment, "described": started.described})
        try:
            server_lifecycle.discard_abandoned()  # after the answer, so that tests do not wait for it
        finally:
            self._ends.wait()
            started.stop()


def ask(folder: Path) -> tuple[dict[str, str], str]:
    """Return the environment of the run's server and its description. Raise NoServer on failure or timeout."""
    (folder / "request").touch()
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while not (folder / "answer").exists():
        if time.monotonic() > deadline:
            raise NoServer(f"no PostgreSQL within {SECONDS_TO_ANSWER} s")
        time.sleep(POLL_SECONDS)
    answer = json.loads((folder / "answer").read_text("utf-8"))
    if "error" in answer:
        raise NoServer(answer["error"])
    return answer["environment"], answer["described"]


def _write(path: Path, answer: dict[str, object]) -> None:
    """Write the file atomically, because others wait for it, and private, because it contains a password."""
    draft = path.with_name(f"{path.name}.draft")
    with open(draft, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(answer, file)
    draft.rename(path)
