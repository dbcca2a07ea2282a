"""Rate limit that concurrent tasks share."""

import asyncio
import time


class Pace:
    def __init__(self, per_second: float) -> None:
        self._between = 1 / per_second if per_second else 0
        self._next = time.monotonic()

    async def turn(self) -> None:
        """Wait for the next free turn and take it."""
        mine = max(self._next, time.monotonic())
        self._next = mine + self._between
        await asyncio.sleep(max(mine - time.monotonic(), 0))

    def take(self) -> bool:
        """Take a turn if one is free now; return whether it was."""
        now = time.monotonic()
        if self._next > now:
            return False
        self._next = now + self._between
        return True
