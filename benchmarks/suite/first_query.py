"""`python -m benchmarks.suite.first_query WAY FOLDER`: prints how many ms lie between nothing and an answer.

A process of its own a measurement, as a run of the suite is one; what it imports is not counted.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
from sqlalchemy import create_engine, text
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config

from benchmarks.suite import peers
from ops import engine, postgres
from ops.configuration import Configuration
from tests import clones, template, throwaway

POLL_SECONDS = 0.002
INSIDE = "/var/lib/postgresql/18/docker"  # where the image keeps its data
Stop = Callable[[], object]


def bare(folder: Path) -> tuple[float, Stop]:
    """Started before, so that nothing is left to be looked up or read from a disk."""
    configured = peers.settings()
    server = peers.embedded(folder / "data", configured)
    postgres.POLL_SECONDS = POLL_SECONDS
    server.start()
    server.stop()
    return _timed(lambda: _start(server, configured))


def initdb(folder: Path) -> tuple[float, Stop]:
    configured = peers.settings()
    server = peers.embedded(folder / f"new-{os.urandom(4).hex()}", configured)
    return _timed(lambda: _start(server, configured))


def ours(_: Path) -> tuple[float, Stop]:
    """A container, or without an engine embedded."""

    def start() -> Stop:
        started = throwaway.start(outlives=False)
        with clones.connect(started.environment) as connection:
            connection.execute("SELECT 1")
        return started.stop

    return _timed(start)


def docker_run(folder: Path) -> tuple[float, Stop]:
    """With a data directory that the image made on the first call, as a user who may remove it."""
    (folder / "mounted").mkdir(exist_ok=True)
    configured = peers.settings()
    name = f"groundwork-benchmark-{os.urandom(4).hex()}"
    options = [option for key, value in template.SETTINGS.items() for option in ("-c", f"{key}={value}")]
    command = [
        *("docker", "run", "--rm", "--detach", "--name", name, "--user", engine.user()),
        *("--publish", f"127.0.0.1:{configured['POSTGRES_PORT']}:5432", "--volume", f"{folder / 'mounted'}:{INSIDE}"),
        *("--env", f"POSTGRES_PASSWORD={configured['POSTGRES_PASSWORD']}"),
        *(configured.images["postgres"], "postgres", *options),
    ]

    def start() -> Stop:
        subprocess.run(command, check=True, capture_output=True)
        _wait_for(configured)
        return lambda: subprocess.run(["docker", "stop", name], check=True, capture_output=True)

    return _timed(start)


def testcontainers(_: Path) -> tuple[float, Stop]:
    """As its documentation has it, without its reaper: that would be one more container to start."""
    testcontainers_config.ryuk_disabled = True
    container = PostgresContainer(peers.settings().images["postgres"], driver="psycopg")

    def start() -> Stop:
        container.start()
        with create_engine(container.get_connection_url()).connect() as connection:
            connection.execute(text("SELECT 1"))
        return container.stop

    return _timed(start)


def _timed(start: Callable[[], Stop]) -> tuple[float, Stop]:
    before = time.perf_counter()
    stop = start()
    return (time.perf_counter() - before) * 1000, stop


def _start(server: postgres.Server, configured: Configuration) -> Stop:
    server.start()
    with clones.connect(configured.environment) as connection:
        connection.execute("SELECT 1")
    return server.stop


def _wait_for(configured: Configuration) -> None:
    """The image's first start has a server on the socket alone, before the one that is waited for."""
    deadline = time.monotonic() + postgres.SECONDS_TO_START
    while time.monotonic() < deadline:
        with suppress(psycopg.OperationalError), clones.connect(configured.environment) as connection:
            connection.execute("SELECT 1")
            return
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"no PostgreSQL at port {configured['POSTGRES_PORT']}")


WAYS = {way.__name__: way for way in (bare, initdb, ours, docker_run, testcontainers)}


if __name__ == "__main__":
    took, stop = WAYS[sys.argv[1]](Path(sys.argv[2]))
    print(took)
    stop()
