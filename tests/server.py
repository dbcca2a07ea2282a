"""The one PostgreSQL of a test run: started when the first test asks for it, ended with the run.

The process that pytest was called as keeps it; the workers of pytest-xdist are other processes. They share a folder:
a worker leaves a `request` there and waits for the `answer`.
"""

import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from ops import configuration, engine, ports, postgres, project, shell
from ops.configuration import Configuration
from ops.database import FROM_NOTHING

POLL_SECONDS = 0.01
SECONDS_TO_ANSWER = 180
TEMPLATE = "template"
LABEL = f"{project.compose_project()}.tests"  # its value: the process whose end is the container's

# The data is thrown away after the run: nothing is written for the sake of a crash.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
}


class NoServer(Exception):
    """Why there is no PostgreSQL for the tests, in a line."""


class Keeper:
    """Waits for a request in `folder`, starts the server, migrates a template database, and answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends = threading.Event()
        self._stop: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ends.set()
        self._thread.join()
        self._stop()

    def _wait(self) -> None:
        while not self._ends.wait(POLL_SECONDS):
            if (self._folder / "request").exists():
                _write(self._folder / "answer", self._answer())
                return

    def _answer(self) -> dict[str, object]:
        try:
            settings, described = self._start()
            _migrate_template(settings)
        except Exception as error:  # whatever it is, the tests that wait have to be told
            return {"error": f"{type(error).__name__}: {error}"}
        return {"environment": settings.environment, "described": described}

    def _start(self) -> tuple[Configuration, str]:
        # Neither the developer's variables nor the secrets of another database: tests are the same everywhere.
        settings = configuration.load("testing", environ={}, secret_folders=(self._folder / "secrets",))
        try:
            version = engine.require(settings.images["postgres"])
        except engine.NoEngine as reason:
            settings, self._stop = _start_embedded(settings, self._folder)
            return settings, f"embedded PostgreSQL, since {reason}"
        settings, self._stop = _start_container(settings)
        return settings, f"{settings.images['postgres']} through testcontainers, since Docker Engine {version} answers"


def ask(folder: Path) -> tuple[dict[str, str], str]:
    """The environment that leads to the run's server, and what that server is. Raises NoServer."""
    (folder / "request").touch()
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while not (folder / "answer").exists():
        if time.monotonic() > deadline:
            raise NoServer(f"no PostgreSQL within {SECONDS_TO_ANSWER} s")
        time.sleep(POLL_SECONDS)
    answer = json.loads((folder / "answer").read_text("utf-8"))
    if "error" in answer:
        raise NoServer(answer["error"])
    return answer["environment"], answer["described"]


def connect(environment: dict[str, str], database: str | None = None) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host=environment["POSTGRES_HOST"],
        port=environment["POSTGRES_PORT"],
        user=environment["POSTGRES_USER"],
        password=environment["POSTGRES_PASSWORD"],
        dbname=database or environment["POSTGRES_DB"],
        autocommit=True,
    )


def create(environment: dict[str, str], name: str, template: str | None = None) -> None:
    """Copying files is the faster strategy where nothing is synced to the disk."""
    source = f"TEMPLATE {template}" if template else FROM_NOTHING
    with connect(environment) as connection:
        connection.execute(sql.SQL(f"CREATE DATABASE {{}} {source} STRATEGY file_copy").format(sql.Identifier(name)))


def drop(environment: dict[str, str], name: str) -> None:
    with connect(environment) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _start_embedded(settings: Configuration, folder: Path) -> tuple[Configuration, Callable[[], None]]:
    memory = Path("/dev/shm")  # noqa: S108  in memory where there is such a place
    data = (memory if os.access(memory, os.W_OK) else folder) / f"{folder.name}-data"
    settings = settings.changed("the run", POSTGRES_PORT=ports.any_free())
    server = postgres.Server(
        data,
        int(settings["POSTGRES_PORT"]),
        settings["POSTGRES_USER"],
        settings["POSTGRES_PASSWORD"],
        settings=SETTINGS,
    )

    def stop() -> None:
        server.stop()
        for leftover in data.parent.glob(f"{data.name}*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

    try:
        server.start()
    except BaseException:
        stop()
        raise
    return settings, stop


def _start_container(settings: Configuration) -> tuple[Configuration, Callable[[], None]]:
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    _remove_abandoned_containers()
    # Its reaper is one more image to pull and to start: the next run removes what this one could not, by the label.
    testcontainers_config.ryuk_disabled = True
    options = [option for name, value in SETTINGS.items() for option in ("-c", f"{name}={value}")]
    container = (
        DockerContainer(settings.images["postgres"])
        .with_envs(**{name: settings[name] for name in ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")})
        .with_exposed_ports(5432)
        .with_tmpfs_mount("/var/lib/postgresql")
        .with_command(["postgres", *options])
        .with_kwargs(labels={LABEL: str(os.getpid())})
    )
    try:
        container.start()
        settings = settings.changed(
            "the run",
            POSTGRES_HOST=container.get_container_host_ip(),
            POSTGRES_PORT=container.get_exposed_port(5432),
        )
        _wait_until_ready(settings.environment)
    except BaseException:
        container.stop()
        raise
    return settings, container.stop


def _wait_until_ready(environment: dict[str, str]) -> None:
    """By TCP: the server of the image's first initialisation listens on the socket alone."""
    deadline = time.monotonic() + SECONDS_TO_ANSWER / 2
    while True:
        try:
            connect(environment).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return


def _remove_abandoned_containers() -> None:
    """Those of runs that were killed."""
    listed = shell.read(
        ["docker", "ps", "--all", "--filter", f"label={LABEL}", "--format", f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}']
    )
    for container, pid in (line.split() for line in listed.splitlines()):
        if not psutil.pid_exists(int(pid)):
            shell.read(["docker", "rm", "--force", "--volumes", container])


def _migrate_template(settings: Configuration) -> None:
    """A database that Alembic made, to be cloned; nothing connects to it, since that would hinder its cloning."""
    environment = settings.environment
    create(environment, TEMPLATE)
    shell.read(shell.python("alembic", "upgrade", "head"), {**environment, "APPLICATION_DB": TEMPLATE})
    with connect(environment) as connection:
        connection.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true ALLOW_CONNECTIONS false")


def _write(path: Path, answer: dict[str, object]) -> None:
    """Whole or not at all, since others wait for it; readable by this user only, since a password is in it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(answer), "utf-8")
    draft.rename(path)
