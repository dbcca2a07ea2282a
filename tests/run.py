"""A run of pytest: its options, its server, and what it reports of the two."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ops import browser
from tests import registry, server
from tests.terraform import provider

FOLDER = pytest.StashKey[Path]()
KEEPER = pytest.StashKey[server.Keeper]()
FAILED = pytest.StashKey[bool]()
LIBRARIES = ("alembic", "click", "flask", "psycopg", "sqlalchemy", "werkzeug")
WAL_SEGMENT_BYTES = 16 * 1024**2


def pytest_addoption(parser: pytest.Parser) -> None:
    contract = parser.getgroup("contract")
    contract.addoption("--cases", type=int, default=40, help="how many requests the API's document is tried with")
    group = parser.getgroup("database")
    group.addoption("--keep", action="store_true", help="keep the databases of failed tests after the run")
    group.addoption("--reuse", action="store_true", help="leave the server running for the next run with --reuse")


def pytest_configure(config: pytest.Config) -> None:
    hear_ctrl_c()
    shared = getattr(config, "workerinput", {}).get("folder")
    config.stash[FOLDER] = Path(shared or tempfile.mkdtemp(prefix=f"{server.FOLDER}-{os.getpid()}-"))
    if shared is None:
        config.stash[KEEPER] = server.Keeper(config.stash[FOLDER], _outlives(config))


def hear_ctrl_c() -> None:
    """Undo what a shell does to a command in the background: what tests start would ignore Ctrl-C too."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _outlives(config: pytest.Config) -> bool:
    return bool(config.getoption("--reuse") or config.getoption("--keep"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For `-n auto`: another worker pays once it has some fifty tests to itself; its start costs about as much."""
    definitions = sum(
        path.read_text("utf-8").count("def test_")
        for argument in config.args
        for path in _modules(Path(argument.partition("::")[0]))
    )
    return min(os.cpu_count() or 1, definitions // 50)


def _modules(place: Path) -> Iterable[Path]:
    return place.rglob("test_*.py") if place.is_dir() else [place] if place.is_file() else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who waits for Terraform waits for minutes: first, while the other workers have enough to do."""
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
    """Leave the frames of libraries out of tracebacks, as they are most of it; `--full-trace` shows them."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in LIBRARIES:
            vars(module)["__tracebackhide__"] = True


def _why_no_test_can_go_on(config: pytest.Config, error: BaseException) -> str | None:
    """One sentence instead of a failure a test, where the server is what failed."""
    if isinstance(error, server.NoServer):
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
    """Where the embedded server has no room for what it writes ahead, which ends it."""
    from tests import embedded

    place = embedded.memory()
    is_full = shutil.disk_usage(place).free < 2 * WAL_SEGMENT_BYTES
    return place if is_full and "embedded" in server.ask(config.stash[FOLDER])[1] else None


def _answers(config: pytest.Config) -> bool:
    from psycopg import OperationalError

    from tests import clones

    try:
        clones.connect(server.ask(config.stash[FOLDER])[0]).close()
    except OperationalError:
        return False
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need in WHY_MISSING:
        if item.get_closest_marker(need):
            require(need)


def require(need: str) -> None:
    """Skip the running test if the machine lacks what the marker of that name stands for."""
    if reason := WHY_MISSING[need]():
        pytest.skip(f"needs {need}: {reason}")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which PostgreSQL the tests ran on, and where the databases of failed tests are."""
    folder = config.stash[FOLDER]
    try:
        environment, described = server.ask(folder) if (folder / "answer").exists() else ({}, "")
    except server.NoServer:
        return  # which every test that wanted one has said
    if described:
        terminalreporter.write_line(f"PostgreSQL: {described}")
    kept = sorted((folder / "kept").iterdir()) if (folder / "kept").exists() else []
    if kept and not _outlives(config):
        terminalreporter.write_line("the databases of failed tests end with the run; --keep keeps them")
        return
    for place in kept:
        terminalreporter.write_line(f"kept for {place.read_text('utf-8')}: {_psql(environment, place.name)}")


def note_kept(request: pytest.FixtureRequest, name: str) -> None:
    """Of a failed test's database: where it is, is said at the end of the run."""
    kept = request.config.stash[FOLDER] / "kept"
    kept.mkdir(exist_ok=True)
    (kept / name).write_text(request.node.nodeid, "utf-8")


def _psql(environment: dict[str, str], name: str) -> str:
    place = ["--host", environment["POSTGRES_HOST"], "--port", environment["POSTGRES_PORT"]]
    return shlex.join(["psql", *place, "--username", environment["POSTGRES_USER"], name])


@cache
def _why_no_engine() -> str | None:
    from ops import configuration, engine

    image = configuration.load("testing", environ={}, missing_secrets="show").images["postgres"]
    return _complaint(lambda: engine.require(image))


@cache
def _why_no_compose() -> str | None:
    from ops import engine

    return _complaint(engine.require_compose)


def _complaint(require: Callable[[], None]) -> str | None:
    from ops import engine

    try:
        require()
    except engine.NoEngine as reason:
        return str(reason)
    return None


def _why_no_browser() -> str | None:
    return browser.WHERE if browser.program() is None else None


def _why_not_root() -> str | None:
    return None if hasattr(os, "geteuid") and os.geteuid() == 0 else "the tests do not run as root"


@cache
def _why_no_mount() -> str | None:
    if reason := _why_not_root():
        return reason
    mount = f"mount -t tmpfs none {tempfile.gettempdir()} && unshare --user --map-user=1000 true"
    tried = subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True, text=True, check=False)
    return tried.stderr.strip() or None


def _why_no_program(name: str) -> Callable[[], str | None]:
    return lambda: None if shutil.which(name) else f"there is no {name} on PATH"


WHY_MISSING: dict[str, Callable[[], str | None]] = {
    "bash": _why_no_program("bash"),
    "browser": _why_no_browser,
    "compose": _why_no_compose,
    "engine": _why_no_engine,
    "jq": _why_no_program("jq"),
    "mount": _why_no_mount,
    "registry": registry.why_none,
    "root": _why_not_root,
    "setpriv": _why_no_program("setpriv"),
    "terraform": provider.why_none,
}
"""For each marker, the reason why this machine lacks what it stands for, or None."""
