"""PostgreSQL for contenders that do not start their own, with the settings of ours."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import embedded as postgres
from groundwork.system import paths, ports
from groundwork.testing import template

MEMORY = Path("/dev/shm")  # noqa: S108  every run creates its own folder there
DISK = paths.LOCAL / "tmp"


def settings() -> Configuration:
    """Return the settings of the tests on a free port; ignore the caller's environment."""
    secrets = paths.LOCAL / "secrets" / "testing"
    loaded = loader.load("testing", environ={}, secret_folders=(secrets,))
    return loaded.with_values("the benchmark", POSTGRES_PORT=ports.any_free())


@contextmanager
def folder(place: Path) -> Iterator[Path]:
    made = place / f"groundwork-benchmark-{os.urandom(4).hex()}"
    made.mkdir(mode=0o711, parents=True)  # the container's user needs to traverse it
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def server(place: Path) -> Iterator[dict[str, str]]:
    """Run a server for the block and yield the environment to connect to it."""
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
