"""`inv scenario`, as it is typed, on the embedded server."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from ops import postgres, stories
from tests.ops.conftest import Clone, on_small_disk, wait_until


def test_a_scenarios_whole_life(clone: Clone, down: None) -> None:
    loaded = ok(clone, "scenario", "--name", "orders", "--size", "300")
    assert re.search(r"orders \(size 300, seed 1\) loaded and kept in [\d.]+ s", loaded)
    url = re.search(r"URL +(\S+)", loaded)
    assert url
    assert ask(url[1], "SELECT count(*) FROM orders") == "300"

    ask(url[1], "DELETE FROM order_lines")
    assert "up, as it was left," in ok(clone, "scenario", "--name", "orders", "--size", "300")
    assert ask(url[1], "SELECT count(*) FROM order_lines") == "0"
    assert "as it was just after loading (size 300, seed 1)" in ok(clone, "scenario.reset", "--name", "orders")
    assert ask(url[1], "SELECT count(*) > 0 FROM order_lines") == "t"

    first = ask(url[1], "SELECT sum(unit_price_cents) FROM order_lines")
    assert "loaded and kept" in ok(clone, "scenario", "--name", "orders", "--size", "300", "--seed", "2")
    assert ask(url[1], "SELECT sum(unit_price_cents) FROM order_lines") != first
    assert "cloned" in ok(clone, "scenario", "--name", "orders", "--size", "300")
    assert ask(url[1], "SELECT sum(unit_price_cents) FROM order_lines") == first

    listed = ok(clone, "scenario.list")
    assert re.search(r"orders +10,000 +localhost:\d+ \(size 300, seed 1\) +A busy shop", listed)
    ran = ok(clone, "scenario.run", "--name", "orders", 'echo "$POSTGRES_PORT/$APPLICATION_DB"')
    assert ran.strip() in url[1]

    assert ok(clone, "scenario.down", "--all") == "orders is down\n"
    assert clone.processes() == []
    assert "localhost" not in ok(clone, "scenario.list")
    assert "up, as it was left," in ok(clone, "scenario", "--name", "orders", "--size", "300")


def test_what_its_code_no_longer_names_is_loaded_anew_and_dropped_when_asked(clone: Clone, down: None) -> None:
    ok(clone, "scenario", "--name", "low_stock")
    story = clone.folder / "scenarios" / "low_stock.py"
    story.write_text(f"{story.read_text()}\nLATER = True\n")

    assert "loaded and kept" in ok(clone, "scenario", "--name", "low_stock")
    assert "low_stock: dropped seed 1, since its code has changed" in ok(clone, "scenario.clean")
    assert "dropped" not in ok(clone, "scenario.clean")

    story.unlink()
    assert "low_stock: dropped, since scenarios/ has no such scenario" in ok(clone, "scenario.clean")
    assert clone.processes() == []
    assert not (clone.folder / ".local" / "scenarios" / "low_stock").exists()


def test_what_was_loaded_by_code_that_is_gone_is_reset_by_loading_anew(clone: Clone, down: None) -> None:
    url = re.search(r"URL +(\S+)", ok(clone, "scenario", "--name", "low_stock"))
    assert url
    ask(url[1], "DELETE FROM order_lines")
    story = clone.folder / "scenarios" / "low_stock.py"
    story.write_text(f"{story.read_text()}\nLATER = True\n")
    ok(clone, "scenario.clean")

    ok(clone, "scenario.reset", "--name", "low_stock")

    assert ask(url[1], "SELECT count(*) > 0 FROM order_lines") == "t"
    assert "up, as it was left," in ok(clone, "scenario", "--name", "low_stock")


def test_the_apps_own_queries_are_explained(clone: Clone, down: None) -> None:
    shown = ok(clone, "scenario.explain", "--name", "orders", "--sizes", "100,200")

    page = clone.folder / ".local" / "scenarios" / "orders.html"
    assert re.search(r"GET /api/orders · 1 orders +[\d.]+ +[\d.]+", shown)
    assert shown.endswith(f"plots: {page.as_uri()}\n")
    assert "<svg" in page.read_text()
    assert "QUERY" in ok(clone, "scenario.query", "--name", "orders", "SELECT * FROM users")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--name", "startre"], "there is no scenario 'startre': scenarios/ has .*starter.*; did you mean starter\\?"),
        (["--name", "../x"], "there is no scenario '../x': scenarios/ has empty_shop, .*"),
        (["--name", "orders", "--size", "-1"], "--size: should be at least 1, got -1"),
        (["--name", "orders", "--size", "many"], "--size: should be a whole number, got 'many'"),
        (["--name", "low_stock", "--size", "9"], "--size: low_stock is always the same size"),
    ],
)
def test_what_cannot_be_is_one_line_and_starts_nothing(clone: Clone, arguments: list[str], complaint: str) -> None:
    refused = clone.inv("scenario", *arguments)

    assert refused.returncode == 1
    assert re.fullmatch(f"{complaint}\n", refused.stderr)
    assert clone.processes() == []


def test_one_that_raises_is_named_with_its_line_and_nothing_of_it_is_kept(clone: Clone) -> None:
    tell(clone, "def fill(session, seed):\n    return 1 / 0\n")

    failed = clone.inv("scenario", "--name", "broken")

    assert failed.returncode == 1
    assert failed.stderr.endswith("scenarios/broken.py:3: ZeroDivisionError: division by zero\n")
    assert clone.processes() == []
    assert "broken" not in ok(clone, "scenario.list").partition("broken")[2]


def test_one_that_raises_in_another_process_is_named_with_its_line_too(clone: Clone) -> None:
    tell(
        clone,
        """from functools import partial
COLUMNS = {"users": ("id", "email", "name")}
SIZE = 10
def parts(size, seed):
    return (partial(make, number) for number in range(size))
def make(number):
    return {"users": f"{number}\\t{number}@example.com\\tSomebody\\n"} if number < 7 else {}[number]
""",
    )

    failed = clone.inv("scenario", "--name", "broken")

    assert failed.returncode == 1
    assert failed.stderr.endswith("scenarios/broken.py:8: KeyError: 7\n")
    assert clone.processes() == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_load_that_is_interrupted_is_not_offered_as_loaded(clone: Clone, down: None, name: str) -> None:
    with start(clone, "--name", "orders", "--size", "400000") as loading:
        wait_until(lambda: clone.is_running("spawn_main"))

        (os.killpg if name == "SIGINT" else os.kill)(loading.pid, getattr(signal, name))

        loading.communicate(timeout=30)
    assert loading.returncode == 130
    wait_until(lambda: clone.processes() == [])
    assert "loaded and kept" in ok(clone, "scenario", "--name", "orders", "--size", "100")
    assert "explained" not in databases(clone, "orders")
    assert "loading" not in databases(clone, "orders")


def test_of_two_terminals_one_loads_and_the_other_waits_for_it(clone: Clone, down: None) -> None:
    both = [start(clone, "--name", "orders", "--size", "20000") for _ in range(2)]

    said = [process.communicate(timeout=60)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert sum("loaded and kept" in text for text in said) == 1
    assert sum("another task is at work on orders: waiting for it" in text for text in said) == 1


def test_a_full_disk_is_one_line_and_nothing_of_it_is_kept(clone: Clone) -> None:
    small = on_small_disk(clone.folder / ".local" / "scenarios", "90m")

    failed = subprocess.run(
        [*small, *clone.command("scenario", "--name", "orders", "--size", "2000000")],
        cwd=clone.folder, env=clone.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert failed.returncode == 1
    assert re.search(
        r"scenarios/orders.py: DiskFull: could not extend file .*No space left on device\n$", failed.stderr
    )
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
    assert "up, as it was left," in again
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
    known = {story.name: story for story in stories.every()}

    assert {"orders", "low_stock", "empty_shop", "wholesale", "starter"} <= set(known)
    assert known["orders"].size == 10_000
    assert known["low_stock"].size is None
    assert all(story.line.endswith(".") and len(story.line) < 120 for story in known.values())


def tell(clone: Clone, code: str) -> None:
    (clone.folder / "scenarios" / "broken.py").write_text(f'"""Broken."""\n{code}')


def start(clone: Clone, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        clone.command("scenario", *arguments),
        cwd=clone.folder, env=clone.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0,
    )  # fmt: skip


def ask(url: str, sql: str) -> str:
    command = [str(postgres.binary("psql")), "--no-psqlrc", "--tuples-only", "--no-align", "--command", sql, url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def databases(clone: Clone, name: str) -> str:
    psql = "PGPASSWORD=$POSTGRES_PASSWORD psql --host $POSTGRES_HOST --port $POSTGRES_PORT --username postgres --list"
    return ok(clone, "scenario.run", "--name", name, psql.replace("psql", str(postgres.binary("psql")), 1))


def ok(clone: Clone, *arguments: str) -> str:
    finished = clone.inv(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stderr + finished.stdout


@pytest.fixture
def down(clone: Clone) -> Iterator[None]:
    yield
    clone.inv("scenario.down", "--all")
