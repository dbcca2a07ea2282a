"""Loads of a scenario that fail, are interrupted, run at the same time, or fill the disk."""

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.scenarios import catalog, workspace
from groundwork.system.errors import Exit
from groundwork.tasks import scenario
from packages.groundwork.tests.conftest import Clone, on_small_disk, wait_until
from packages.groundwork.tests.scenarios.conftest import Captured, databases, listed

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
