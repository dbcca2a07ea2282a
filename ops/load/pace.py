"""So many turns a second, and no more, whoever asks for them."""

import asyncio
import time


class Pace:
    def __init__(self, per_second: float) -> None:
        self._between = 1 / per_second if per_second else 0
        self._next = time.monotonic()

    async def turn(self) -> None:
        """Return when it is the caller's."""
        mine = max(self._next, time.monotonic())
        self._next = mine + self._between
        await asyncio.sleep(max(mine - time.monotonic(), 0))

    def take(self) -> bool:
        """Whether there was one to be had at once."""
        now = time.monotonic()
        if self._next > now:
            return False
        self._next = now + self._between
        return True
