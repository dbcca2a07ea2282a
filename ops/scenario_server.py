"""The PostgreSQL of one scenario, which outlives the task that started it: a container, or an embedded server."""

import re
import shutil
import subprocess
import time
from typing import Protocol

from invoke.exceptions import Exit

from ops import containers, engine, ports, postgres, project, shell
from ops.configuration import Configuration

FOLDER = project.LOCAL / "scenarios"
LABEL = f"{project.compose_project()}.scenario"
HOME = "/var/lib/postgresql"  # where the image's volume belongs
SECONDS_TO_START = 60
POLL_SECONDS = 0.02

# What a crash of the machine would lose is loaded again.
SETTINGS = {**postgres.NOT_CRASH_SAFE, "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB"}


class Server(Protocol):
    name: str
    """Of its scenario."""
    described: str

    def port(self) -> int | None:
        """Where it takes connections, if it runs."""

    def start(self, configuration: Configuration) -> int:
        """Return its port once it takes connections. Raises Exit where it does not."""

    def stop(self) -> None:
        """End it; its data stays."""

    def remove(self) -> None:
        """End it, and its data with it."""


class Embedded:
    described = "an embedded PostgreSQL"

    def __init__(self, name: str) -> None:
        self.name = name
        self._folder = FOLDER / name
        self._data = self._folder / "data"

    def port(self) -> int | None:
        return postgres.running_port(self._data)

    def start(self, configuration: Configuration) -> int:
        port = ports.any_free()
        user, password = configuration["POSTGRES_USER"], configuration["POSTGRES_PASSWORD"]
        server = postgres.Server(self._data, port, user, password, SETTINGS)
        server.start()
        server.leave()
        return port

    def stop(self) -> None:
        postgres.Server(self._data, port=0, user="", password="").stop()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class Container:
    described = "PostgreSQL in a container"

    def __init__(self, name: str) -> None:
        self.name = name
        self._container = f"{project.compose_project()}-scenario-{name}"

    def port(self) -> int | None:
        answered = subprocess.run(
            ["docker", "port", self._container, "5432"], capture_output=True, text=True, check=False
        )
        return int(answered.stdout.split()[0].rpartition(":")[2]) if answered.returncode == 0 else None

    def start(self, configuration: Configuration) -> int:
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self._remove_container()  # one that the engine's end has ended
        shell.read(
            [
                *("docker", "run", "--detach", "--name", self._container, "--label", f"{LABEL}={self.name}"),
                *("--publish", "127.0.0.1::5432", "--shm-size", "256m", "--volume", f"{self._container}:{HOME}"),
                *("--env", "POSTGRES_USER", "--env", "POSTGRES_PASSWORD", "--env", "POSTGRES_DB"),
                *(configuration.images["postgres"], "postgres", *settings),
            ],
            configuration.environment,
        )
        self._wait_until_ready(configuration)
        containers.give_password(configuration, self._container)
        return self.port() or 0

    def stop(self) -> None:
        self._remove_container()

    def remove(self) -> None:
        self._remove_container()
        subprocess.run(["docker", "volume", "rm", "--force", self._container], capture_output=True, check=False)

    def _remove_container(self) -> None:
        shell.read(["docker", "rm", "--force", "--volumes", self._container])

    def _wait_until_ready(self, configuration: Configuration) -> None:
        """By TCP from inside: the server of the first initialisation listens on the socket alone."""
        ready = ["docker", "exec", self._container, "pg_isready", "--quiet", "--host", "127.0.0.1"]
        deadline = time.monotonic() + SECONDS_TO_START
        while subprocess.run([*ready, "--username", configuration["POSTGRES_USER"]], check=False).returncode:
            if time.monotonic() > deadline or self.port() is None:
                said = subprocess.run(
                    ["docker", "logs", "--tail", "1", self._container], capture_output=True, text=True, check=False
                )
                self._remove_container()
                raise Exit(f"PostgreSQL did not start in {self._container}: {(said.stderr or said.stdout).strip()}", 1)
            time.sleep(POLL_SECONDS)


def running(name: str) -> tuple[Server, int] | None:
    """With its port."""
    return all_running().get(name)


def all_running() -> dict[str, tuple[Server, int]]:
    """With their ports, by scenario; the engine is asked once for all of them."""
    embedded = [Embedded(folder.parent.name) for folder in sorted(FOLDER.glob("*/data"))]
    found: dict[str, tuple[Server, int]] = {name: (Container(name), port) for name, port in _published().items()}
    return found | {server.name: (server, port) for server in embedded if (port := server.port())}


def best(name: str, configuration: Configuration) -> tuple[Server, str]:
    """The kind that this machine can have, and why."""
    try:
        engine.require(configuration.images["postgres"])
    except engine.NoEngine as reason:
        return Embedded(name), f"since {reason}"
    return Container(name), "since a Docker Engine answers"


def with_data() -> list[Server]:
    """All that were ever started here and not removed, running or not."""
    embedded = [Embedded(folder.parent.name) for folder in sorted(FOLDER.glob("*/data"))]
    return [*embedded, *(Container(name) for name in _volumes())]


def _published() -> dict[str, int]:
    """The ports of the containers that run."""
    if not _may_have_engine():
        return {}
    listing = ["docker", "ps", "--filter", f"label={LABEL}", "--format", f'{{{{.Label "{LABEL}"}}}} {{{{.Ports}}}}']
    listed = subprocess.run(listing, capture_output=True, text=True, check=False)  # fails where no engine answers
    found = re.findall(r"^(\S+) .*:(\d+)->5432/tcp", listed.stdout, re.MULTILINE)
    return {name: int(port) for name, port in found}


def _volumes() -> list[str]:
    if not _may_have_engine():
        return []
    prefix = f"{project.compose_project()}-scenario-"
    listing = ["docker", "volume", "ls", "--quiet", "--filter", f"name=^{prefix}"]
    listed = subprocess.run(listing, capture_output=True, text=True, check=False)  # fails where no engine answers
    return [name.removeprefix(prefix) for name in sorted(listed.stdout.split())]


def _may_have_engine() -> bool:
    return engine.why_impossible() is None
