"""Program with the arguments WAY and FOLDER: print the ms from nothing to the first query result.

Each measurement is a new process, as a run of the suite is one. Import time is not counted.
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

from groundwork.configuration.loader import Configuration
from groundwork.postgresql import embedded
from groundwork.system import docker, process_owner
from groundwork.testing import database_pool, server_lifecycle, template
from packages.groundwork.benchmarks.suite import peers

POLL_SECONDS = 0.002
INSIDE = "/var/lib/postgresql/18/docker"  # the image's data directory
Stop = Callable[[], object]


def bare(folder: Path) -> tuple[float, Stop]:
    """Start the server once before the measurement, to warm all caches."""
    configured = peers.settings()
    server = peers.embedded(folder / "data", configured)
    embedded.POLL_SECONDS = POLL_SECONDS
    server.start()
    server.stop()
    return _timed(lambda: _start(server, configured))


def initdb(folder: Path) -> tuple[float, Stop]:
    configured = peers.settings()
    server = peers.embedded(folder / f"new-{os.urandom(4).hex()}", configured)
    return _timed(lambda: _start(server, configured))


def ours(_: Path) -> tuple[float, Stop]:
    """Start our server: a container, or embedded without an engine."""

    def start() -> Stop:
        started = server_lifecycle.start(process_owner.identity())
        with database_pool.connect(started.environment) as connection:
            connection.execute("SELECT 1")
        return started.stop

    return _timed(start)


def docker_run(folder: Path) -> tuple[float, Stop]:
    """Run the image with a data directory from the first call, as a user who may delete it."""
    (folder / "mounted").mkdir(exist_ok=True)
    configured = peers.settings()
    name = f"groundwork-benchmark-{os.urandom(4).hex()}"
    options = [option for key, value in template.SETTINGS.items() for option in ("-c", f"{key}={value}")]
    command = [
        *("docker", "run", "--rm", "--detach", "--name", name, "--user", docker.user()),
        *("--publish", f"127.0.0.1:{configured['POSTGRES_PORT']}:5432", "--volume", f"{folder / 'mounted'}:{INSIDE}"),
        *("--env", f"POSTGRES_PASSWORD={configured['POSTGRES_PASSWORD']}"),
        *(configured.images.postgres, "postgres", *options),
    ]

    def start() -> Stop:
        subprocess.run(command, check=True, capture_output=True)
        _wait_for(configured)
        return lambda: subprocess.run(["docker", "stop", name], check=True, capture_output=True)

    return _timed(start)


def testcontainers(_: Path) -> tuple[float, Stop]:
    """Start testcontainers as documented, but without its reaper, which would be another container."""
    testcontainers_config.ryuk_disabled = True
    container = PostgresContainer(peers.settings().images.postgres, driver="psycopg")

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


def _start(server: embedded.Server, configured: Configuration) -> Stop:
    server.start()
    with database_pool.connect(configured.environment) as connection:
        connection.execute("SELECT 1")
    return server.stop


def _wait_for(configured: Configuration) -> None:
    """Wait by TCP: on its first start, the image first runs a temporary server on the socket only."""
    deadline = time.monotonic() + embedded.SECONDS_TO_START
    while time.monotonic() < deadline:
        with suppress(psycopg.OperationalError), database_pool.connect(configured.environment) as connection:
            connection.execute("SELECT 1")
            return
        time.sleep(POLL_SECONDS)
    raise TimeoutError(
        f"port {configured['POSTGRES_PORT']}: no connection to PostgreSQL within {embedded.SECONDS_TO_START} s"
    )


WAYS = {way.__name__: way for way in (bare, initdb, ours, docker_run, testcontainers)}


if __name__ == "__main__":
    took, stop = WAYS[sys.argv[1]](Path(sys.argv[2]))
    print(took)
    stop()
