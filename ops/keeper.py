"""The task that will end the development server, so that one that was killed is known to have left it behind."""

import os

from ops import project


def claim() -> None:
    path = project.LOCAL / "postgres" / "keeper"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_signature(os.getpid()))


def release() -> None:
    (project.LOCAL / "postgres" / "keeper").unlink(missing_ok=True)


def lives() -> bool:
    path = project.LOCAL / "postgres" / "keeper"
    claimed = path.read_text() if path.exists() else ""
    return bool(claimed) and claimed == _signature(int(claimed.split()[0]))


def _signature(pid: int) -> str:
    """With the time of its start, since numbers are given again."""
    import psutil

    try:
        return f"{pid} {psutil.Process(pid).create_time()}"
    except psutil.NoSuchProcess:
        return ""
