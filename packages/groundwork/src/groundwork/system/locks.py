"""File locks for tasks that must not run at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundwork.system.errors import Exit


@contextmanager
def exclusive(lock: Path, busy: str) -> Iterator[None]:
    """Hold the lock. Raises Exit with the message `busy`, without waiting, if another process holds it."""
    from filelock import FileLock, Timeout

    held = FileLock(lock, timeout=0)
    lock.parent.mkdir(exist_ok=True)
    try:
        held.acquire()
    except Timeout:
        raise Exit(f"{busy}: wait until it has ended", code=1) from None
    try:
        yield
    finally:
        held.release()
