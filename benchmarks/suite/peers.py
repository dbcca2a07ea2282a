"""The PostgreSQL of the contenders that do not bring their own, with the settings of ours."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops import configuration, ports, postgres, project
from ops.configuration import Configuration
from tests import template

MEMORY = Path("/dev/shm")  # noqa: S108  every run makes a folder of its own there
DISK = project.LOCAL / "tmp"


def settings() -> Configuration:
    """The tests' own, whatever the caller's environment says, on a port that is free."""
    secrets = project.LOCAL / "secrets" / "testing"
    loaded = configuration.load("testing", environ={}, secret_folders=(secrets,))
    return loaded.changed("the benchmark", POSTGRES_PORT=ports.any_free())


@contextmanager
def folder(place: Path) -> Iterator[Path]:
    made = place / f"groundwork-benchmark-{os.urandom(4).hex()}"
    made.mkdir(mode=0o711, parents=True)  # the container's user has to pass through
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def server(place: Path) -> Iterator[dict[str, str]]:
    """Runs inside; yields the environment that leads to it."""
    with folder(place) as made:
        configured = settings()
        running = embedded(made / "data", configured)
        try:
            running.start()
            yield configured.environment
        finally:
            running.stop()


def embedded(data: Path, configured: Configuration) -> postgres.Server:
    return postgres.Server(
        data,
        int(configured["POSTGRES_PORT"]),
        configured["POSTGRES_USER"],
        configured["POSTGRES_PASSWORD"],
        template.SETTINGS,
    )
