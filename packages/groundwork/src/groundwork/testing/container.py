"""PostgreSQL of a test run in a container: the image has migrated data, which runs in memory."""

import shutil
import subprocess
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING

from groundwork.configuration.loader import Configuration
from groundwork.system import docker as engine
from groundwork.system import process_owner, shell
from groundwork.system.errors import Exit
from groundwork.testing import database_pool, template
from groundwork.testing.template import Started

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

LABEL = f"{template.OF_THIS_CHECKOUT}.keeper"
MEMORY = "/memory"  # not in the image: an existing folder would keep its mode and belong to root
ARCHIVE = "/made.tar"
SECONDS_TO_START = 60
POLL_SECONDS = 0.005


class Container:
    def __init__(self, settings: Configuration) -> None:
        """Connect to the engine. Raise NoEngine if there is none or if it cannot get the image."""
        self._settings = settings
        self._base = settings.images.postgres
        engine.require(self._base)

        import docker

        self._docker = docker.from_env()  # 20 times faster than the docker command
        self._image = f"{template.OF_THIS_CHECKOUT}:{template.fingerprint(settings, str(self._id(self._base)))}"

    def is_made(self) -> bool:
        return self._id(self._image) is not None

    def make(self) -> None:
        """Build the image from the first start of the official one. Tag it only when it is complete."""
        names = ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")
        variables = {name: self._settings[name] for name in names}
        initdb = {"PGDATA": "/making", "POSTGRES_INITDB_ARGS": " ".join(template.INITDB_OPTIONS)}
        archive = f'docker-entrypoint.sh postgres; tar -C "$PGDATA" -cf {ARCHIVE} . && rm -r "$PGDATA"'
        container = self._container(self._base, process_owner.identity(), archive).with_envs(**variables, **initdb)
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
            subprocess.run(["docker", "rmi", *old.tags], capture_output=True, check=False)  # images in use stay

    def start(self, claimed_by: str) -> Started:
        options = " ".join(f"-c {name}={value}" for name, value in template.SETTINGS.items())
        boot = f'mkdir -m 700 "$PGDATA" && tar -C "$PGDATA" -xf {ARCHIVE} && exec postgres {options}'
        container = self._container(self._image, claimed_by, boot, user="postgres")
        return self._start(container.with_tmpfs_mount(MEMORY).with_envs(PGDATA=f"{MEMORY}/data"))

    def _container(self, image: str, claimed_by: str, command: str, **options: str) -> "DockerContainer":
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.container import DockerContainer

        testcontainers_config.ryuk_disabled = True  # the next run removes what a killed run left
        return (
            DockerContainer(image)
            .with_command(["sh", "-c", command])
            .with_exposed_ports(5432)
            .with_kwargs(labels={LABEL: claimed_by}, **options)
        )

    def _start(self, container: "DockerContainer") -> Started:
        try:
            container.start()
            settings = self._settings.with_values(
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
    """Import the slowest module in a thread, while the main thread waits for the engine."""
    if engine.find_obstacle() is None:
        threading.Thread(target=import_module, args=["testcontainers.core.container"], daemon=True).start()


def discard_all(claimed_by: str | None = None) -> None:
    """Remove the containers that `claimed_by` owns; by default, those of killed runs."""
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
    listed = subprocess.run(listing, capture_output=True, text=True, check=False)  # fails without an engine
    for container, claim in (line.split(" ", 1) for line in listed.stdout.splitlines()):
        if claim == claimed_by if claimed_by else process_owner.is_abandoned(claim):
            shell.read(["docker", "rm", "--force", "--volumes", container])


def _last_words(container: "DockerContainer") -> str:
    """Return the last log line of the container, and remove it."""
    try:
        said = b"\n".join(container.get_logs()).decode(errors="replace").strip().splitlines()
    finally:
        container.stop()
    return said[-1] if said else "no reason given"


def _wait_until_ready(environment: dict[str, str]) -> None:
    """Wait by TCP, because the image's temporary first server uses only the socket. Raise TimeoutError if too late."""
    from psycopg import OperationalError

    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            database_pool.connect(environment).close()
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise TimeoutError from error
            time.sleep(POLL_SECONDS)
        else:
            return
