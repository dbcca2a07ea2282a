"""The run's PostgreSQL in a container: its image has a migrated data directory, its data is in memory."""

import shutil
import subprocess
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ops import engine, keeper, shell
from ops.configuration import Configuration
from tests import clones, template
from tests.template import Started

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

LABEL = f"{template.OF_THIS_CHECKOUT}.keeper"
MEMORY = "/memory"  # a folder that the image has not: one that it has would keep its mode, and be root's
ARCHIVE = "/made.tar"
SECONDS_TO_START = 60
POLL_SECONDS = 0.005


class Container:
    def __init__(self, settings: Configuration) -> None:
        """Raises NoEngine where there is none, or none that can have the image."""
        self._settings = settings
        self._base = settings.images["postgres"]
        engine.require(self._base)

        import docker

        self._docker = docker.from_env()  # whose answers take a twentieth of the time of the command's
        self._image = f"{template.OF_THIS_CHECKOUT}:{template.fingerprint(settings, str(self._id(self._base)))}"

    def is_made(self) -> bool:
        return self._id(self._image) is not None

    def make(self) -> None:
        """By the official image's own first start. The image gets its name when it is whole."""
        names = ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")
        variables = {name: self._settings[name] for name in names}
        initdb = {"PGDATA": "/making", "POSTGRES_INITDB_ARGS": " ".join(template.INITDB_OPTIONS)}
        archive = f'docker-entrypoint.sh postgres; tar -C "$PGDATA" -cf {ARCHIVE} . && rm -r "$PGDATA"'
        container = self._container(self._base, keeper.signature(), archive).with_envs(**variables, **initdb)
        started = self._start(container)
        try:
            template.migrate(started.environment)
            made = container.get_wrapped_container()
            made.exec_run(["pg_ctl", "stop"], user="postgres")
            made.wait()
            repository, _, tag = self._image.partition(":")
            made.commit(repository, tag, changes=[f"ENV {name}=" for name in variables])
        finally:
            started.stop()
        for old in self._docker.images.list(template.OF_THIS_CHECKOUT)[template.KEPT :]:
            subprocess.run(["docker", "rmi", *old.tags], capture_output=True, check=False)  # one that is in use stays

    def start(self, claimed_by: str) -> Started:
        options = " ".join(f"-c {name}={value}" for name, value in template.SETTINGS.items())
        boot = f'mkdir -m 700 "$PGDATA" && tar -C "$PGDATA" -xf {ARCHIVE} && exec postgres {options}'
        container = self._container(self._image, claimed_by, boot, user="postgres")
        return self._start(container.with_tmpfs_mount(MEMORY).with_envs(PGDATA=f"{MEMORY}/data"))

    def _container(self, image: str, claimed_by: str, command: str, **options: str) -> "DockerContainer":
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.container import DockerContainer

        testcontainers_config.ryuk_disabled = True  # docs/decisions/0003-no-reaper-for-test-containers.md
        return (
            DockerContainer(image)
            .with_command(["sh", "-c", command])
            .with_exposed_ports(5432)
            .with_kwargs(labels={LABEL: claimed_by}, **options)
        )

    def _start(self, container: "DockerContainer") -> Started:
        try:
            container.start()
            settings = self._settings.changed(
                "the run",
                POSTGRES_HOST=container.get_container_host_ip(),
                POSTGRES_PORT=container.get_exposed_port(5432),
            )
            _wait_until_ready(settings.environment)
        except TimeoutError as error:
            raise Exit(f"PostgreSQL did not start in its container: {_last_words(container)}", code=1) from error
        except BaseException:
            container.stop()
            raise
        described = f"{self._base} through testcontainers, since a Docker Engine answers"
        return Started(settings.environment, described, container.stop)

    def _id(self, image: str) -> str | None:
        from docker.errors import ImageNotFound

        try:
            return self._docker.images.get(image).id
        except ImageNotFound:
            return None


def preload() -> None:
    """Import what takes longest, in the background, while the engine is asked: that is waiting for the most part."""
    if engine.why_impossible() is None:
        threading.Thread(target=import_module, args=["testcontainers.core.container"], daemon=True).start()


def discard_all(claimed_by: str | None = None) -> None:
    """Those that `claimed_by` would end; by default, those that nobody will, since their run was killed."""
    if shutil.which("docker") is None:
        return
    listing = [
        "docker",
        "ps",
        "--all",
        "--filter",
        f"label={LABEL}",
        "--format",
        f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}',
    ]
    listed = subprocess.run(listing, capture_output=True, text=True, check=False)  # fails where no engine answers
    for container, claim in (line.split() for line in listed.stdout.splitlines()):
        if claim == claimed_by if claimed_by else keeper.is_abandoned(claim):
            shell.read(["docker", "rm", "--force", "--volumes", container])


def _last_words(container: "DockerContainer") -> str:
    """Of the container, which is gone then."""
    try:
        said = b"\n".join(container.get_logs()).decode(errors="replace").strip().splitlines()
    finally:
        container.stop()
    return said[-1] if said else "no reason given"


def _wait_until_ready(environment: dict[str, str]) -> None:
    """By TCP: the server of the image's first initialisation listens on the socket alone. Raises TimeoutError."""
    from psycopg import OperationalError

    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            clones.connect(environment).close()
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise TimeoutError from error
            time.sleep(POLL_SECONDS)
        else:
            return
