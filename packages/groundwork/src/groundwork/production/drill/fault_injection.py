"""Fault injection into containers. Each fault leaves the container as it was, even if it is interrupted."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from groundwork.configuration.loader import Configuration
from groundwork.production import stack
from groundwork.production.load.traffic import Traffic
from groundwork.production.stack import Container
from groundwork.system import shell
from groundwork.system.errors import Exit

FILLED = {"/tmp": "/tmp/drill", "/dev/shm": "/dev/shm/drill"}  # noqa: S108  the container's own

TRIES_TO_PAUSE = 5  # on busy processors, the kernel may fail to freeze all processes of the container in time

# Stops the last child of the container's main process for two seconds, so that requests wait for it. Then kills the
# child, or the main process.
KILL = """
set -eu
victim=%(first)s
for worker in $(cat /proc/$victim/task/$victim/children); do :; done
trap 'kill -CONT $worker 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM
kill -STOP $worker || true
sleep 2
%(choice)s
kill -KILL $victim
while kill -0 $victim 2>/dev/null; do sleep 0.01; done
date +%%s.%%N
"""
FILL = """
import os, sys
for folder, name in zip(sys.argv[1::2], sys.argv[2::2]):
    room = os.statvfs(folder)
    file = os.open(name, os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(file, 0, room.f_bavail * room.f_frsize)
print(sum(os.statvfs(folder).f_bavail for folder in sys.argv[1::2]))
"""
ASK_DATABASE = "import socket; socket.create_connection(('db', 5432), 3)"

# The volume itself must not be filled: its disk is the machine's. So new rows get an index on a small disk. The index
# is empty, without a page for entries: PostgreSQL needs space for the next row and finds none. The lock blocks writes
# until the disk is full. `\!` runs in the container, like psql.
SMALL_DISK = "/dev/shm/drill"  # noqa: S108  the container's own
FULL_DISK = """
    SET lock_timeout = '15s';
    BEGIN;
    LOCK TABLE %(table)s IN SHARE MODE;
    SELECT format('CREATE INDEX drill ON %(table)s (id) TABLESPACE drill WHERE id > %%s', coalesce(max(id), 0))
    FROM %(table)s \\gexec
    \\! cat /dev/zero >%(disk)s/full; df --output=avail %(disk)s | tail -n 1
    COMMIT;
"""
DROP_INDEX = "SET lock_timeout = '15s'; DROP INDEX IF EXISTS drill;"
DROP_TABLESPACE = "DROP TABLESPACE IF EXISTS drill"

LOCK = """
    BEGIN;
    LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;
    SELECT '' FROM pg_sleep(%g);
    COMMIT;
    SELECT extract(epoch FROM clock_timestamp());
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '%s'::regclass"


def crash(settings: Configuration, container: Container, *, worker: bool = False) -> float:
    """Kill the container's main process, or only its last worker. Return when that had ended, in epoch seconds.

    `docker kill` does not work here: the engine restarts a container after a crash, but not after `docker kill`.
    """
    first = shell.read(["docker", "inspect", "--format", "{{.State.Pid}}", container.id]).strip()
    kill = KILL % {"first": first, "choice": "victim=$worker" if worker else ""}
    isolation = ["--rm", "--pid", "host", "--network", "none", "--user", "root", "--entrypoint", ""]
    return float(shell.read(["docker", "run", *isolation, settings.images.postgres, "sh", "-c", kill]))


@contextmanager
def paused(container: Container) -> Iterator[None]:
    try:
        for _ in range(TRIES_TO_PAUSE):
            with suppress(Exit):
                shell.read(["docker", "pause", container.id])
                break
        yield
    finally:
        with shell.uninterrupted(), suppress(Exit):
            shell.read(["docker", "unpause", container.id])


@contextmanager
def full(replica: Container) -> Iterator[str]:
    """Fill the writable folders of FILLED to the last byte; yield how many pages are still free."""
    places = [part for pair in FILLED.items() for part in pair]
    try:
        yield shell.read(["docker", "exec", replica.id, "python", "-c", FILL, *places]).strip()
    finally:
        with shell.uninterrupted():
            shell.read(["docker", "exec", replica.id, "rm", "-f", *FILLED.values()])


@contextmanager
def full_disk(traffic: Traffic, database: Container) -> Iterator[str]:
    """Leave PostgreSQL no disk space for another write; yield how many KiB are still free."""

    def inside(*command: str) -> None:
        shell.read(["docker", "exec", database.id, *command])

    def empty() -> None:
        traffic.sql(DROP_INDEX)
        traffic.sql(DROP_TABLESPACE)
        inside("rm", "-rf", SMALL_DISK)

    empty()  # left behind by a killed drill
    try:
        inside("mkdir", "-p", f"{SMALL_DISK}/space")
        traffic.sql(f"CREATE TABLESPACE drill LOCATION '{SMALL_DISK}/space'")
        yield traffic.sql(FULL_DISK % {"table": traffic.TABLE, "disk": SMALL_DISK}).strip()
    finally:
        with shell.uninterrupted():
            empty()


@contextmanager
def cut_off(replicas: Sequence[Container], network: str = "data") -> Iterator[None]:
    """Disconnect replicas from a network of the stack; reconnect them afterwards with the same aliases."""
    name = f"{stack.PROJECT}_{network}"
    aliases = {each.id: _aliases(each, name) for each in replicas}
    try:
        for each in replicas:
            shell.read(["docker", "network", "disconnect", name, each.id])
        yield
    finally:
        with shell.uninterrupted():
            for each in replicas:
                if not _aliases(each, name):
                    again = [part for alias in aliases[each.id] for part in ("--alias", alias)]
                    shell.read(["docker", "network", "connect", *again, name, each.id])


def reaches_database(replica: Container) -> bool:
    with suppress(Exit):
        shell.read(["docker", "exec", replica.id, "python", "-c", ASK_DATABASE])
        return True
    return False


def _aliases(container: Container, network: str) -> list[str]:
    """Return the container's aliases on a network; none if it is not connected."""
    asked = f'{{{{with index .NetworkSettings.Networks "{network}"}}}}{{{{.Aliases}}}}{{{{end}}}}'
    return re.findall(r"[^\[\]\s]+", shell.read(["docker", "inspect", "--format", asked, container.id]))
