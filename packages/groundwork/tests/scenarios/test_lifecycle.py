"""Life of a scenario by `inv scenario`: load, change, reset, explain, clean up, and stop."""

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from invoke.context import Context

from groundwork.postgresql import embedded
from groundwork.scenarios import workspace
from groundwork.system.errors import Exit
from groundwork.tasks import scenario
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.scenarios.conftest import Captured, databases, listed, up


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


def clean(capfd: Captured) -> str:
    capfd.readouterr()
    scenario.clean(Context())
    return capfd.readouterr().out


def refuse_to_load(*_: object) -> bool:
    raise Exit("it is loaded")


def ask(url: str, sql: str) -> str:
    command = [str(embedded.binary("psql")), "--no-psqlrc", "--tuples-only", "--no-align", "--command", sql, url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def ok(clone: Clone, *arguments: str) -> str:
    finished = clone.inv(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stderr + finished.stdout


@pytest.fixture
def down(clone: Clone) -> Iterator[None]:
    yield
    clone.inv("scenario.down", "--all")
