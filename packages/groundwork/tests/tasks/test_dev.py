"""`inv dev` on the command line, with the embedded server."""

import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from groundwork.postgresql import embedded
from packages.groundwork.tests.conftest import Clone, wait_until

Start = Callable[..., "Running"]


class Running:
    """Running `inv dev` in a separate process group, as a terminal starts it."""

    def __init__(self, clone: Clone, **environment: str) -> None:
        self.clone = clone
        self.said = ""
        self.process = subprocess.Popen(
            clone.command("dev"),
            cwd=clone.folder,
            env={**clone.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, pattern: str) -> str:
        deadline = time.monotonic() + 120
        while not (found := re.search(pattern, self.said)):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return found.group(found.lastindex or 0)

    def end(self, name: str = "SIGINT") -> int:
        os.killpg(self.process.pid, getattr(signal, name))
        code = self.process.wait(30)
        self._reader.join()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.said += line


def test_serves_and_keeps_the_data_over_a_restart_and_a_kill_and_leaves_nothing(clone: Clone, start: Start) -> None:
    data = clone.folder / ".local" / "postgres" / "development"
    dev = start(clone)
    url = dev.wait_for(r"page  (\S+)")
    dev.wait_for("Debugger is active")
    assert "using an embedded PostgreSQL, since " in dev.said
    assert "users" in dev.wait_for("starter: .*")
    assert "Walnut chopping board" in _get(f"{url}/api/products")

    assert dev.end() in (0, 130)
    assert clone.processes() == []

    again = start(clone)
    assert again.wait_for(r"page  (\S+)") == url
    again.wait_for("Debugger is active")
    assert "nothing was added" in again.said
    assert "is taken" not in again.said
    again.end("SIGKILL")
    assert embedded.running_port(data) == int(clone.environment["POSTGRES_PORT"])

    after_the_kill = start(clone)
    after_the_kill.wait_for("using an embedded PostgreSQL, which is already running")
    page = after_the_kill.wait_for(r"page  (\S+)")
    after_the_kill.wait_for("Debugger is active")
    assert "Walnut chopping board" in _get(f"{page}/api/products")
    assert after_the_kill.end() in (0, 130)
    assert clone.processes() == []


def test_ports_that_are_taken_are_said_and_the_next_ones_are_used(
    clone: Clone, start: Start, other_services: tuple[int, int]
) -> None:
    web, database = other_services

    dev = start(clone, FLASK_RUN_PORT=str(web), POSTGRES_PORT=str(database))

    assert int(dev.wait_for(rf"port {web} is taken: the development server listens on (\d+)")) > web
    assert int(dev.wait_for(rf"port {database} is taken: PostgreSQL listens on (\d+)")) > database
    url = dev.wait_for(r"page  (\S+)")
    dev.wait_for("Debugger is active")
    assert "Walnut chopping board" in _get(f"{url}/api/products")


def test_the_last_of_several_tasks_ends_the_server(clone: Clone, start: Start) -> None:
    data = clone.folder / ".local" / "postgres" / "development"
    with _at_once(clone, "db.migrate", "db.migrate", "db.shell") as (one, other, psql):
        assert (one.wait(60), other.wait(60)) == (0, 0)
        first, second = start(clone), start(clone)
        pages = [each.wait_for(r"page  (\S+)") for each in (first, second)]
        first.wait_for("Debugger is active")
        second.wait_for("Debugger is active")
        assert clone.inv("run", 'test "$POSTGRES_PORT" = ' + clone.environment["POSTGRES_PORT"]).returncode == 0

        psql.communicate("SELECT 1;\n", timeout=30)
        first.end()

        assert psql.returncode == 0
        assert len(set(pages)) == 2
        assert "Walnut chopping board" in _get(f"{pages[1]}/api/products")
        second.end()
    assert embedded.running_pid(data) is None
    assert clone.processes() == []


@pytest.mark.compose
@pytest.mark.engine
def test_the_last_task_ends_the_containers_of_one_that_was_killed(clone: Clone, start: Start, stack: str) -> None:
    killed, last = start(clone), start(clone)
    pages = [each.wait_for(r"page  (\S+)") for each in (killed, last)]
    for each in (killed, last):
        each.wait_for("Debugger is active")
    assert all("Walnut chopping board" in _get(f"{page}/api/products") for page in pages)

    killed.end("SIGKILL")
    last.end()

    assert _containers(stack) == ""


def test_ends_cleanly_when_it_is_interrupted_before_it_serves(clone: Clone, start: Start) -> None:
    dev = start(clone)
    data = clone.folder / ".local" / "postgres" / "development"
    wait_until(lambda: embedded.running_pid(data) is not None)

    assert dev.end() == 130
    assert clone.processes() == []


def test_serves_nothing_but_development(clone: Clone) -> None:
    clone.environment["APPLICATION_CONFIG"] = "testing"

    refused = clone.inv("dev")

    assert refused.returncode == 1
    assert refused.stderr == "inv dev runs with the development configuration only: APPLICATION_CONFIG=testing\n"


@contextmanager
def _at_once(clone: Clone, *tasks: str) -> Iterator[list["subprocess.Popen[str]"]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                subprocess.Popen(
                    clone.command(task), cwd=clone.folder, env=clone.environment, stdin=subprocess.PIPE, text=True
                )
            )
            for task in tasks
        ]


def _containers(stack: str) -> str:
    listing = ["docker", "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={stack}"]
    return subprocess.run(listing, capture_output=True, text=True, check=True, timeout=60).stdout


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310  http, as inv dev said
        page: bytes = response.read()
    return page.decode()


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Running] = []

    def start(clone: Clone, **environment: str) -> Running:
        started.append(Running(clone, **environment))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.end()


@pytest.fixture
def stack(clone: Clone) -> Iterator[str]:
    """Allow the clone an engine and yield its Compose project. Remove its volume and image afterwards."""
    del clone.environment["DOCKER_HOST"]
    asked = clone.inv("run", "python -c 'from groundwork.system import paths; print(paths.compose_project())'")
    stack = asked.stdout.strip()
    yield stack
    for command in (["volume", "rm", "--force", f"{stack}_pgdata"], ["image", "rm", "--force", f"{stack}-web"]):
        subprocess.run(["docker", *command], check=True, capture_output=True, timeout=60)


@pytest.fixture
def other_services(tmp_path: Path) -> Iterator[tuple[int, int]]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("127.0.0.1", 0)) as database:
        yield web.getsockname()[1], database.getsockname()[1]
