"""Process identity in names of temporary resources, to find what a killed process left behind."""

import os


def identity(pid: int | None = None) -> str:
    """Return PID and start time, since PIDs are reused; an empty string if there is no such process.

    The time counts from the boot: a step of the clock moves both times, and would make every process another one.
    """
    import psutil

    pid = pid or os.getpid()
    try:
        return f"{pid}-{psutil.Process(pid).create_time() - psutil.boot_time():.2f}"
    except psutil.NoSuchProcess:
        return ""


def is_running(owner: str) -> bool:
    pid = owner.partition("-")[0]
    return pid.isdigit() and owner == identity(int(pid))


def is_abandoned(owner: str) -> bool:
    """Return whether the owner has ended; False for a text that is no process identity."""
    return owner.partition("-")[0].isdigit() and not is_running(owner)
