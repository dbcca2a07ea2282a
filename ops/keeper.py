"""Identity of a process, for names of what it has to clean up: what a killed process left behind can be found."""

import os


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
