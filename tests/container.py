"""The run's PostgreSQL in a container: its image has a migrated data directory, its data is in memory."""

import shutil
import subprocess
import threading
import time
from importlib import import_module

from ops import engine, keeper, shell
from ops.configuration import Configuration
from tests import clones, template
from tests.template import Started

LABEL = f"{template.OF_THIS_CHECKOUT}.keeper"
SECONDS_TO_START = 60
POLL_SECONDS = 0.01


class Container:
    def __init__(self, settings: Configuration, engine_version: str) -> None:
        self._settings = settings
        self._base = settings.images["postgres"]
        self._described = f"{self._base} through testcontainers, since Docker Engine {engine_version} answers"
        base_id = shell.read(["docker", "image", "inspect", "--format", "{{.Id}}", self._base]).strip()
        self.made = f"{template.OF_THIS_CHECKOUT}:{template.fingerprint(settings, base_id)}"

    def is_made(self) -> bool:
        found = subprocess.run(["docker", "image", "inspect", self.made], capture_output=True, check=False)
        return found.returncode == 0

    def make(self) -> None:
        """By the official image's own first start. The image gets its name when it is whole."""
        names = ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")
        variables = {name: self._settings[name] for name in names}
        variables |= {"PGDATA": "/made", "POSTGRES_INITDB_ARGS": " ".join(template.INITDB_OPTIONS)}
        started, container = self._run(self._base, variables, [], keeper.signature())
        try:
            template.migrate(started.environment)
            shell.read(["docker", "stop", container])
            forget = [part for name in variables if name != "PGDATA" for part in ("--change", f"ENV {name}=")]
            shell.read(["docker", "commit", *forget, container, self.made])
        finally:
            started.stop()
        for old in shell.read(["docker", "images", "--quiet", template.OF_THIS_CHECKOUT]).split()[template.KEPT :]:
            subprocess.run(["docker", "rmi", old], capture_output=True, check=False)  # one that is in use stays

    def start(self, claimed_by: str) -> Started:
        options = " ".join(f"-c {name}={value}" for name, value in template.SETTINGS.items())
        # The entrypoint finds the copy as it would find a volume from an earlier start.
        boot = f'mkdir -p "$PGDATA" && cp -a /made/. "$PGDATA" && exec docker-entrypoint.sh postgres {options}'
        variables = {"PGDATA": "/var/lib/postgresql/data"}
        return self._run(self.made, variables, ["sh", "-c", boot], claimed_by)[0]

    def _run(self, image: str, variables: dict[str, str], command: list[str], claimed_by: str) -> tuple[Started, str]:
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.container import DockerContainer

        testcontainers_config.ryuk_disabled = True  # docs/decisions/0003-no-reaper-for-test-containers.md
        testcontainers_config.sleep_time = POLL_SECONDS
        container = (
            DockerContainer(image)
            .with_envs(**variables)
            .with_exposed_ports(5432)
            .with_tmpfs_mount("/var/lib/postgresql")
            .with_kwargs(labels={LABEL: claimed_by})
        )
        if command:
            container.with_command(command)
        try:
            container.start()
            settings = self._settings.changed(
                "the run",
                POSTGRES_HOST=container.get_container_host_ip(),
                POSTGRES_PORT=container.get_exposed_port(5432),
            )
            _wait_until_ready(settings.environment)
        except BaseException:
            container.stop()
            raise
        return Started(settings.environment, self._described, container.stop), container.get_container_id()


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


def _wait_until_ready(environment: dict[str, str]) -> None:
    """By TCP: the server of the image's first initialisation listens on the socket alone."""
    from psycopg import OperationalError

    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            clones.connect(environment).close()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return
