"""Development servers of this checkout: PostgreSQL in a container, or embedded."""

from pathlib import Path
from typing import Protocol

import groundwork.postgresql.embedded as embedded
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import compose, containers, majors
from groundwork.system import docker, paths


class DevelopmentServer(Protocol):
    description: str
    in_container: bool

    def running_port(self, configuration: Configuration) -> int | None:
        """Return the port of the server, or None if it is not running."""

    def start(self, configuration: Configuration) -> None:
        """Start the server and wait until it accepts connections on the configured port. Raises Exit on failure."""

    def stop(self, configuration: Configuration) -> None:
        """Stop the server, even if another process started it; the data stays."""


class ContainerServer:
    description = "PostgreSQL in a container"
    in_container = True

    def running_port(self, configuration: Configuration) -> int | None:  # noqa: ARG002  a checkout has one stack
        return compose.published_port("db", compose.POSTGRES_PORT) if docker.find_obstacle() is None else None

    def start(self, configuration: Configuration) -> None:
        volume = f"{paths.compose_project()}_pgdata"
        majors.refuse(configuration.images.postgres, volume, f"To start without it: docker volume rm {volume}")
        paths.claim()
        compose.run(configuration, "--progress", "quiet", "up", "--detach", "--wait", "db")
        containers.set_password(configuration, str(compose.container_id("db")))

    def stop(self, configuration: Configuration) -> None:
        compose.run(configuration, "--progress", "quiet", "down", "--remove-orphans")


class EmbeddedServer:
    description = "an embedded PostgreSQL"
    in_container = False

    def running_port(self, configuration: Configuration) -> int | None:
        return embedded.running_port(_data(configuration))

    def start(self, configuration: Configuration) -> None:
        _embedded(configuration).start()

    def stop(self, configuration: Configuration) -> None:
        _embedded(configuration).stop()


def find_running(configuration: Configuration) -> tuple[DevelopmentServer, int] | None:
    for server in (EmbeddedServer(), ContainerServer()):
        if port := server.running_port(configuration):
            return server, port
    return None


def choose(configuration: Configuration) -> tuple[DevelopmentServer, str]:
    """Return the kind of server that works on this machine and in this project, and the reason."""
    if not (paths.ROOT / compose.FILE).is_file():
        return EmbeddedServer(), f"since there is no {compose.FILE}"
    try:
        docker.require(configuration.images.postgres)
        docker.require_compose()
    except docker.NoEngine as reason:
        return EmbeddedServer(), f"since {reason}"
    return ContainerServer(), "since a Docker Engine answers"


def _data(configuration: Configuration) -> Path:
    return paths.LOCAL / "postgres" / configuration.name


def _embedded(configuration: Configuration) -> embedded.Server:
    return embedded.Server(
        _data(configuration),
        int(configuration["POSTGRES_PORT"]),
        configuration["POSTGRES_USER"],
        configuration["POSTGRES_PASSWORD"],
    )
