"""Which process will end a server, so that what a killed one left behind is known for it."""

import os
from pathlib import Path

from ops import project

FILE = Path("postgres") / "keeper"


def claim() -> None:
    """This process will end the development server."""
    path = project.LOCAL / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(signature())


def release() -> None:
    (project.LOCAL / FILE).unlink(missing_ok=True)


def is_claimed() -> bool:
    """Whether a process that lives will end the development server."""
    path = project.LOCAL / FILE
    return path.exists() and lives(path.read_text())


def signature(pid: int | None = None) -> str:
    """A process's number, and the moment of its start, since numbers are given again; empty where there is none."""
    import psutil

    pid = pid or os.getpid()
    try:
        return f"{pid}-{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return ""


def lives(claim: str) -> bool:
    pid = claim.partition("-")[0]
    return pid.isdigit() and claim == signature(int(pid))


def is_abandoned(claim: str) -> bool:
    """Whether the process that claimed it has ended; not so where none ever did."""
    return claim.partition("-")[0].isdigit() and not lives(claim)
