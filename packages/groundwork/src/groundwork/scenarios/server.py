"""PostgreSQL server of one scenario, in a container or embedded. It keeps running after the task that started it."""

import re
import shutil
import subprocess
import time
from typing import Protocol

from groundwork.configuration.loader import Configuration
from groundwork.postgresql import containers, embedded, majors
from groundwork.system import docker, paths, ports, shell
from groundwork.system.errors import Exit

FOLDER = paths.LOCAL / "scenarios"
LABEL = f"{paths.compose_project()}.scenario"
DATA_MOUNT = "/var/lib/postgresql"  # the volume of the image
SECONDS_TO_START = 60
POLL_SECONDS = 0.02

# Not crash-safe, since a scenario can be loaded again.
SETTINGS = {**embedded.NOT_CRASH_SAFE, "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB"}


class Server(Protocol):
    name: str
    """Name of the scenario."""
    description: str

    def port(self) -> int | None:
        """Return the port if the server is running, else None."""

    def start(self, configuration: Configuration) -> int:
        """Start the server and return its port once it accepts connections. Raises Exit if it does not."""

    def stop(self) -> None:
        """Stop the server; its data stays."""

    def remove(self) -> None:
        """Stop the server and delete its data."""


class Embedded:
    description = "an embedded PostgreSQL"

    def __init__(self, name: str) -> None:
        self.name = name
        self._folder = FOLDER / name
        self._data = self._folder / "data"

    def port(self) -> int | None:
        return embedded.running_port(self._data)

    def start(self, configuration: Configuration) -> int:
        port = ports.any_free()
        user, password = configuration["POSTGRES_USER"], configuration["POSTGRES_PASSWORD"]
        server = embedded.Server(self._data, port, user, password, SETTINGS)
        server.start()
        server.detach()
        return port

    def stop(self) -> None:
        embedded.Server(self._data, port=0, user="", password="").stop()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class Container:
    description = "PostgreSQL in a container"

    def __init__(self, name: str) -> None:
        self.name = name
        self._container = f"{paths.compose_project()}-scenario-{name}"

    def port(self) -> int | None:
        result = subprocess.run(
            ["docker", "port", self._container, "5432"], capture_output=True, text=True, check=False
        )
        return int(result.stdout.split()[0].rpartition(":")[2]) if result.returncode == 0 else None

    def start(self, configuration: Configuration) -> int:
        paths.claim()
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        remedy = f"To load it again: docker volume rm {self._container}"
        majors.refuse(configuration.images.postgres, self._container, remedy)
        self._remove_container()  # a stopped one stays behind after a restart of the engine
        shell.read(
            [
                *("docker", "run", "--detach", "--name", self._container, "--label", f"{LABEL}={self.name}"),
                *("--publish", "127.0.0.1::5432", "--shm-size", "256m", "--volume", f"{self._container}:{DATA_MOUNT}"),
                *("--env", "POSTGRES_USER", "--env", "POSTGRES_PASSWORD", "--env", "POSTGRES_DB"),
                *(configuration.images.postgres, "postgres", *settings),
            ],
            configuration.environment,
        )
        self._wait_until_ready(configuration)
        containers.set_password(configuration, self._container)
        return self.port() or 0

    def stop(self) -> None:
        self._remove_container()

    def remove(self) -> None:
        self._remove_container()
        subprocess.run(["docker", "volume", "rm", "--force", self._container], capture_output=True, check=False)

    def _remove_container(self) -> None:
        shell.read(["docker", "rm", "--force", "--volumes", self._container])

    def _wait_until_ready(self, configuration: Configuration) -> None:
        """Wait until the server accepts TCP connections; during initialisation it listens on the Unix socket only."""
        ready = ["docker", "exec", self._container, "pg_isready", "--quiet", "--host", "127.0.0.1"]
        deadline = time.monotonic() + SECONDS_TO_START
        while subprocess.run([*ready, "--username", configuration["POSTGRES_USER"]], check=False).returncode:
            if time.monotonic() > deadline or self.port() is None:
                logs = subprocess.run(
                    ["docker", "logs", "--tail", "1", self._container], capture_output=True, text=True, check=False
                )
                self._remove_container()
                raise Exit(f"PostgreSQL did not start in {self._container}: {(logs.stderr or logs.stdout).strip()}", 1)
            time.sleep(POLL_SECONDS)


def running(name: str) -> tuple[Server, int] | None:
    """Return the scenario's running server and its port; None if there is none."""
    return all_running().get(name)


def all_running() -> dict[str, tuple[Server, int]]:
    """Return the running servers and their ports by scenario, with a single call of the engine."""
    on_host = [Embedded(folder.parent.name) for folder in sorted(FOLDER.glob("*/data"))]
    found: dict[str, tuple[Server, int]] = {name: (Container(name), port) for name, port in _published_ports().items()}
    return found | {server.name: (server, port) for server in on_host if (port := server.port())}


def choose(name: str, configuration: Configuration) -> tuple[Server, str]:
    """Return a container if a Docker Engine responds, else an embedded server; and the reason."""
    try:
        docker.require(configuration.images.postgres)
    except docker.NoEngine as reason:
        return Embedded(name), f"since {reason}"
    return Container(name), "since a Docker Engine answers"


def all_with_data() -> list[Server]:
    """Return all servers that have data, running or not."""
    on_host = [Embedded(folder.parent.name) for folder in sorted(FOLDER.glob("*/data"))]
    return [*on_host, *(Container(name) for name in _volumes())]


def _published_ports() -> dict[str, int]:
    """Return the ports of the running containers by scenario."""
    if not _may_have_engine():
        return {}
    listing = ["docker", "ps", "--filter", f"label={LABEL}", "--format", f'{{{{.Label "{LABEL}"}}}} {{{{.Ports}}}}']
    output = subprocess.run(listing, capture_output=True, text=True, check=False)  # fails without an engine
    found = re.findall(r"^(\S+) .*:(\d+)->5432/tcp", output.stdout, re.MULTILINE)
    return {name: int(port) for name, port in found}


def _volumes() -> list[str]:
    if not _may_have_engine():
        return []
    prefix = f"{paths.compose_project()}-scenario-"
    listing = ["docker", "volume", "ls", "--quiet", "--filter", f"name=^{prefix}"]
    output = subprocess.run(listing, capture_output=True, text=True, check=False)  # fails without an engine
    return [name.removeprefix(prefix) for name in sorted(output.stdout.split())]


def _may_have_engine() -> bool:
    return docker.find_obstacle() is None
