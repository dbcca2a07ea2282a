"""Harm to one container, and its end. Each of these leaves the container as it was, whatever interrupts it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ops import shell, stack
from ops.configuration import Configuration
from ops.stack import Container

FILLED = {"/tmp": "/tmp/drill", "/dev/shm": "/dev/shm/drill"}  # noqa: S108  the container's own

KILL_A_WORKER = """
import os, pathlib, select, signal, time
child = int(pathlib.Path("/proc/1/task/1/children").read_text().split()[0])
process = os.pidfd_open(child)
os.kill(child, signal.SIGKILL)
select.select([process], [], [])
print(time.time())
"""
FILL = """
import os, sys
for folder, name in zip(sys.argv[1::2], sys.argv[2::2]):
    room = os.statvfs(folder)
    file = os.open(name, os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(file, 0, room.f_bavail * room.f_frsize)
"""


def kill_a_worker(replica: Container) -> float:
    """When it had ended: seconds of the epoch. One that is told to still takes what arrives, until its turn comes."""
    return float(shell.read(["docker", "exec", replica.id, "python", "-c", KILL_A_WORKER]))


def crash(settings: Configuration, container: Container) -> float:
    """Kill what runs in it; returns when it had ended.

    Not by `docker kill`: what the engine was told to end, it does not start again as it does after a crash.
    """
    process = shell.read(["docker", "inspect", "--format", "{{.State.Pid}}", container.id]).strip()
    kill = ["sh", "-c", f"kill -KILL {process} && while kill -0 {process}; do sleep 0.01; done; date +%s.%N"]
    isolation = ["--rm", "--pid", "host", "--network", "none", "--user", "root", "--entrypoint", ""]
    return float(shell.read(["docker", "run", *isolation, settings.images["postgres"], *kill]))


@contextmanager
def full(replica: Container) -> Iterator[None]:
    """Not a byte is free where it can write."""
    places = [part for pair in FILLED.items() for part in pair]
    try:
        shell.read(["docker", "exec", replica.id, "python", "-c", FILL, *places])
        yield
    finally:
        with shell.uninterrupted():
            shell.read(["docker", "exec", replica.id, "rm", "-f", *FILLED.values()])


@contextmanager
def cut_off(replicas: Sequence[Container], network: str = "data") -> Iterator[None]:
    """From whatever else is on that network of the stack."""
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


def _aliases(container: Container, network: str) -> list[str]:
    """By which the others on the network know it; none where it is not on it."""
    asked = f'{{{{with index .NetworkSettings.Networks "{network}"}}}}{{{{.Aliases}}}}{{{{end}}}}'
    return re.findall(r"[^\[\]\s]+", shell.read(["docker", "inspect", "--format", asked, container.id]))
