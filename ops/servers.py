"""The two kinds of development server of this checkout: a container, or an embedded PostgreSQL."""

from pathlib import Path
from typing import Protocol

import ops.postgres as embedded
from ops import compose, containers, engine, project
from ops.configuration import Configuration


class Server(Protocol):
    described: str
    in_container: bool

    def running_port(self, configuration: Configuration) -> int | None:
        """Where it takes connections, if it runs."""

    def start(self, configuration: Configuration) -> None:
        """Return once it takes connections on the configured port. Raises Exit where it does not."""

    def stop(self, configuration: Configuration) -> None:
        """End it, whoever started it; the data stays."""


class Container:
    described = "PostgreSQL in a container"
    in_container = True

    def running_port(self, configuration: Configuration) -> int | None:  # noqa: ARG002  a checkout has one stack
        return compose.published_port("db", compose.POSTGRES_PORT) if engine.why_impossible() is None else None

    def start(self, configuration: Configuration) -> None:
        compose.run(configuration, "--progress", "quiet", "up", "--detach", "--wait", "db")
        containers.give_password(configuration, str(compose.container("db")))

    def stop(self, configuration: Configuration) -> None:
        compose.run(configuration, "--progress", "quiet", "down", "--remove-orphans")


class Embedded:
    described = "an embedded PostgreSQL"
    in_container = False

    def running_port(self, configuration: Configuration) -> int | None:
        return embedded.running_port(_data(configuration))

    def start(self, configuration: Configuration) -> None:
        _embedded(configuration).start()

    def stop(self, configuration: Configuration) -> None:
        _embedded(configuration).stop()


def running(configuration: Configuration) -> tuple[Server, int] | None:
    for server in (Embedded(), Container()):
        if port := server.running_port(configuration):
            return server, port
    return None


def best(configuration: Configuration) -> tuple[Server, str]:
    """The kind that this machine can have, and why."""
    try:
        engine.require(configuration.images["postgres"])
        engine.require_compose()
    except engine.NoEngine as reason:
        return Embedded(), f"since {reason}"
    return Container(), "since a Docker Engine answers"


def _data(configuration: Configuration) -> Path:
    return project.LOCAL / "postgres" / configuration.name


def _embedded(configuration: Configuration) -> embedded.Server:
    return embedded.Server(
        _data(configuration),
        int(configuration["POSTGRES_PORT"]),
        configuration["POSTGRES_USER"],
        configuration["POSTGRES_PASSWORD"],
    )
