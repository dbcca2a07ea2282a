"""Waiting for something to happen."""

import time
from collections.abc import Callable

LONGEST_S = 60


def wait_until(happened: Callable[[], bool]) -> None:
    """Return once it has happened; fail if that takes longer than `LONGEST_S`."""
    deadline = time.monotonic() + LONGEST_S
    while not happened():
        assert time.monotonic() < deadline, f"it has not happened within {LONGEST_S} s"
        time.sleep(0.02)
