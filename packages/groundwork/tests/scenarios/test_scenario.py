"""`inv scenario` on the embedded server: on the command line, and by its functions in a shared clone."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.postgresql import database, embedded
from groundwork.scenarios import catalog, workspace
from groundwork.scenarios import server as scenario_server
from groundwork.system.errors import Exit
from groundwork.tasks import scenario
from packages.groundwork.tests.conftest import ROOT, Clone, end_what_runs, make_clone, on_small_disk, wait_until

Captured = pytest.CaptureFixture[str]

RAISES = """
def fill(session, seed):
    return 1 / 0
"""
TAKES_ITS_TIME = """
import time
from functools import partial
from pathlib import Path
COLUMNS = {"users": ("id", "email", "name")}
SIZE = 5
def parts(size, seed):
    return (partial(make, number) for number in range(size))
def make(number):
    Path("begun").touch()
    time.sleep(0.02)
    return {"users": f"{number}\\t{number}@example.com\\tSomebody\\n"}
"""
WAITS = """
import time
from pathlib import Path
def fill(session, seed):
    deadline = time.monotonic() + 60
    while not Path("go").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
"""
IS_LARGE = """
from functools import partial
COLUMNS = {"users": ("id", "email", "name")}
SIZE = 100
def parts(size, seed):
    return (partial(make, 10_000 * number) for number in range(size))
def make(first):
    rows = range(first, first + 10_000)
    return {"users": "".join(f"{number}\\t{number}@example.com\\t{'Somebody' * 20}\\n" for number in rows)}
"""


def test_a_scenarios_whole_life(shop: Clone, capfd: Captured) -> None:
    loaded = ok(shop, "scenario", "--name", "orders", "--size", "300")
    assert re.search(r"orders \(size 300, seed 1\) loaded in [\d.]+ s", loaded)
    url = re.search(r"URL +(\S+)", loaded)
    assert url
    assert ask(url[1], "SELECT count(*) FROM orders") == "300"

    ask(url[1], "DELETE FROM order_lines")
    assert "ready with its existing data" in up(capfd, "orders", size="300")
    assert ask(url[1], "SELECT count(*) FROM order_lines") == "0"
    scenario.reset(Context(), name="orders")
    assert "to its freshly loaded data (size 300, seed 1)" in capfd.readouterr().out
    assert ask(url[1], "SELECT count(*) > 0 FROM order_lines") == "t"

    first = ask(url[1], "SELECT sum(unit_price_cents) FROM order_lines")
    assert "loaded in" in up(capfd, "orders", size="300", seed="2")
    assert ask(url[1], "SELECT sum(unit_price_cents) FROM order_lines") != first
    assert "cloned" in up(capfd, "orders", size="300")
    assert ask(url[1], "SELECT sum(unit_price_cents) FROM order_lines") == first

    assert re.search(r"orders +10,000 +localhost:\d+ \(size 300, seed 1\) +A busy shop", listed(capfd))
    ran = ok(shop, "scenario.run", "--name", "orders", 'echo "$POSTGRES_PORT/$APPLICATION_DB"')
    assert ran.strip() in url[1]

    assert ok(shop, "scenario.down", "--all") == "stopped orders\n"
    assert shop.processes() == []
    assert "localhost" not in listed(capfd)
    assert "ready with its existing data" in up(capfd, "orders", size="300")


def test_what_its_code_no_longer_names_is_loaded_anew_and_dropped_when_asked(
    shop: Clone, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = re.search(r"URL +(\S+)", up(capfd, "low_stock"))
    assert url
    ask(url[1], "DELETE FROM order_lines")
    story = shop.folder / "scenarios" / "low_stock.py"
    story.write_text(f"{story.read_text()}\nLATER = True\n")

    with monkeypatch.context() as patched:
        patched.setattr(workspace, "load", refuse_to_load)
        with pytest.raises(Exit, match="it is loaded"):
            up(capfd, "low_stock")
    assert clean(capfd) == "low_stock: deleted seed 1, since its code has changed\n"
    assert clean(capfd) == ""
    assert ask(url[1], "SELECT count(*) FROM order_lines") == "0"
    scenario.reset(Context(), name="low_stock")
    assert ask(url[1], "SELECT count(*) > 0 FROM order_lines") == "t"
    assert "ready with its existing data" in up(capfd, "low_stock")

    story.unlink()
    assert clean(capfd) == "low_stock: deleted, since scenarios/ has no such scenario\n"
    assert shop.processes() == []
    assert not (shop.folder / ".local" / "scenarios" / "low_stock").exists()


def test_the_apps_own_queries_are_explained(shop: Clone, capfd: Captured) -> None:
    scenario.explain(Context(), name="orders", sizes="200,300")

    page, shown = shop.folder / ".local" / "scenarios" / "orders.html", capfd.readouterr().out
    assert re.search(r"GET /api/orders · 1 orders +[\d.]+ +[\d.]+", shown)
    assert shown.endswith(f"plots: {page.as_uri()}\n")
    assert "<svg" in page.read_text()
    assert not any(name.startswith("explained") for name in databases("orders"))
    up(capfd, "orders", size="300")
    scenario.query(Context(), "SELECT * FROM users", name="orders")
    assert "QUERY" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            {"name": "startre"},
            r"there is no scenario 'startre': scenarios/ has .*starter.*; did you mean starter\?",
        ),
        ({"name": "../x"}, r"there is no scenario '\.\./x': scenarios/ has empty_shop, .*"),
        ({"name": "orders", "size": "-1"}, "--size: should be at least 1, got -1"),
        ({"name": "orders", "size": "many"}, "--size: should be a whole number, got 'many'"),
        ({"name": "low_stock", "size": "9"}, "--size: the size of low_stock is fixed: leave the option out"),
    ],
)
def test_what_cannot_be_is_one_line_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str], complaint: str
) -> None:
    monkeypatch.setattr(workspace, "exclusive", lambda _: pytest.fail("it starts a server"))

    with pytest.raises(Exit, match=f"^{complaint}$") as refused:
        scenario.up(Context(), **arguments)

    assert refused.value.code == 1


def test_one_that_raises_is_named_with_its_line_and_nothing_of_it_is_kept(shop: Clone, capfd: Captured) -> None:
    tell(shop, RAISES)

    with pytest.raises(Exit) as failed:
        scenario.up(Context(), name="told")

    assert failed.value.code == 1
    assert capfd.readouterr().err.endswith("scenarios/told.py:4: ZeroDivisionError: division by zero\n")
    assert shop.processes() == []
    assert "localhost" not in listed(capfd)
    wanted = workspace.state(catalog.find("told"), None, workspace.SEED)
    assert not {"loading", wanted.template} & set(databases("told"))


def test_a_load_that_is_interrupted_is_not_offered_as_loaded(shop: Clone) -> None:
    tell(shop, TAKES_ITS_TIME)
    for send, number in ((os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM)):  # as a terminal does, and as init does
        (shop.folder / "begun").unlink(missing_ok=True)
        with start(shop, "--name", "told", "--size", "2000") as loading:
            wait_until((shop.folder / "begun").exists)

            send(loading.pid, number)

            said = loading.communicate(timeout=30)[0]
        assert loading.returncode == 130, said
        wait_until(lambda: shop.processes() == [])

    wanted = workspace.state(catalog.find("told"), 2000, workspace.SEED)
    assert not {"loading", wanted.template} & set(databases("told"))


def test_of_two_terminals_one_loads_and_the_other_waits_for_it(shop: Clone, tmp_path: Path) -> None:
    tell(shop, WAITS)
    logs = [tmp_path / "first", tmp_path / "second"]
    waits = "another task is using scenario told: waiting for it"
    with ExitStack() as stack:
        both = [stack.enter_context(start(shop, "--name", "told", log=log)) for log in logs]

        wait_until(lambda: any(waits in log.read_text() for log in logs))
        (shop.folder / "go").touch()

        assert [process.wait(60) for process in both] == [0, 0], [log.read_text() for log in logs]
    said = "".join(log.read_text() for log in logs)
    assert said.count("loaded in") == said.count(waits) == 1


def test_a_full_disk_is_one_line_and_nothing_of_it_is_kept(clone: Clone) -> None:
    small = on_small_disk(clone.folder / ".local" / "scenarios", "90m")
    tell(clone, IS_LARGE)

    failed = subprocess.run(
        [*small, *clone.command("scenario", "--name", "told")],
        cwd=clone.folder, env=clone.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert failed.returncode == 1
    assert re.search(r"scenarios/told.py: DiskFull: could not extend file .*No space left on device\n$", failed.stderr)
    assert clone.processes() == []


@pytest.mark.engine
def test_in_a_container_it_is_the_same_and_the_list_tells_when_the_engine_ended_it(clone: Clone, down: None) -> None:
    del clone.environment["DOCKER_HOST"]
    loaded = ok(clone, "scenario", "--name", "low_stock")
    assert "starting PostgreSQL in a container" in loaded
    assert re.search(r"low_stock .*localhost:\d+", ok(clone, "scenario.list"))
    (container,) = subprocess.check_output(
        ["docker", "ps", "--filter", "name=scenario-low_stock", "--format", "{{.Names}}"], text=True
    ).split()

    subprocess.run(["docker", "kill", container], check=True, capture_output=True)

    assert "localhost" not in ok(clone, "scenario.list")
    shutil.rmtree(clone.folder / ".local" / "secrets")
    again = ok(clone, "scenario", "--name", "low_stock")
    assert "ready with its existing data" in again
    (clone.folder / "scenarios" / "low_stock.py").unlink()
    ok(clone, "scenario.clean")
    left = ["docker", "volume", "ls", "--quiet", "--filter", f"name={container}"]
    assert subprocess.check_output(left) == b""


@pytest.mark.engine
def test_the_engine_is_asked_once_however_many_scenarios_there_are(clone: Clone) -> None:
    del clone.environment["DOCKER_HOST"]
    asking, asked = clone.folder / "bin" / "docker", clone.folder / "asked"
    asking.parent.mkdir()
    asking.write_text(f'#!/bin/sh\necho "$@" >>{asked}\nexec {shutil.which("docker")} "$@"\n')
    asking.chmod(0o755)
    clone.environment["PATH"] = f"{asking.parent}:{clone.environment['PATH']}"

    ok(clone, "scenario.list")

    assert len(asked.read_text().splitlines()) == 1


def test_the_files_tell_what_there_is() -> None:
    known = {story.name: story for story in catalog.load_all()}

    assert {"orders", "low_stock", "empty_shop", "wholesale", "starter"} <= set(known)
    assert known["orders"].size == 10_000
    assert known["low_stock"].size is None
    assert all(story.summary.endswith(".") and len(story.summary) < 120 for story in known.values())


def up(capfd: Captured, name: str, **options: str) -> str:
    """Run `inv scenario` in this process and return its output."""
    scenario.up(Context(), name=name, **options)
    return capfd.readouterr().out


def listed(capfd: Captured) -> str:
    scenario.list_all(Context())
    return capfd.readouterr().out


def clean(capfd: Captured) -> str:
    capfd.readouterr()
    scenario.clean(Context())
    return capfd.readouterr().out


def refuse_to_load(*_: object) -> bool:
    raise Exit("it is loaded")


def tell(clone: Clone, code: str) -> None:
    (clone.folder / "scenarios" / "told.py").write_text(f'"""Told by a test."""\n{code}')


def start(clone: Clone, *arguments: str, log: Path | None = None) -> "subprocess.Popen[str]":
    """Start `inv scenario` with a short grace period for commands. Its output goes to `log`, if given."""
    quick = "from groundwork.system import shell; shell.GRACE_SECONDS = 0.1"
    program = f"{quick}; from invoke.main import program; program.run()"
    with ExitStack() as stack:
        output = stack.enter_context(log.open("w")) if log else subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", program, "--search-root", str(clone.folder), "scenario", *arguments],
            cwd=clone.folder, env=clone.environment, text=True,
            stdout=output, stderr=subprocess.STDOUT, process_group=0,
        )  # fmt: skip


def ask(url: str, sql: str) -> str:
    command = [str(embedded.binary("psql")), "--no-psqlrc", "--tuples-only", "--no-align", "--command", sql, url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def databases(name: str) -> list[str]:
    """Return the databases of a scenario's server, which is started if necessary."""
    with workspace.exclusive(name) as scenario, database.connect(scenario.configuration) as connection:
        return [str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")]


def ok(clone: Clone, *arguments: str) -> str:
    finished = clone.inv(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stderr + finished.stdout


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return make_clone(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def shop(shared: Clone, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clone]:
    """Yield the shared clone with its loaded data. Afterwards, stop all servers and restore the stories."""
    shared.enter(monkeypatch)
    yield shared
    for server, _port in scenario_server.all_running().values():
        server.stop()
    shutil.rmtree(shared.folder / "scenarios")
    shutil.copytree(ROOT / "scenarios", shared.folder / "scenarios")
    end_what_runs(shared)


@pytest.fixture
def down(clone: Clone) -> Iterator[None]:
    yield
    clone.inv("scenario.down", "--all")
