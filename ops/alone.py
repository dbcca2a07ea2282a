"""One task at a time, where two at once would be in each other's way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invoke.exceptions import Exit


@contextmanager
def alone(lock: Path, otherwise: str) -> Iterator[None]:
    """Raises Exit with what is said `otherwise`, at once, where another process holds the lock."""
    from filelock import FileLock, Timeout

    held = FileLock(lock, timeout=0)
    lock.parent.mkdir(exist_ok=True)
    try:
        held.acquire()
    except Timeout:
        raise Exit(f"{otherwise}: wait until it has ended", code=1) from None
    try:
        yield
    finally:
        held.release()
