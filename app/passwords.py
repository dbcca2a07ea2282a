"""Passwords, of which nothing is kept but what it takes to recognise them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from app.errors import TooManyPasswords

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""The least that OWASP asks for (Password Storage Cheat Sheet): half the threads of a process may take it at once."""


class Turns:
    """How many passwords this process may hash at the same time; without a limit until one is set."""

    def __init__(self) -> None:
        self._free: BoundedSemaphore | None = None

    def limit(self, most: int | None) -> None:
        self._free = BoundedSemaphore(most) if most else None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raise TooManyPasswords where none is free: waiting would take the threads that other requests need."""
        free = self._free
        if free and not free.acquire(blocking=False):
            raise TooManyPasswords
        try:
            yield
        finally:
            if free:
                free.release()


turns = Turns()


def digest(password: str) -> str:
    """As argon2id, with its parameters and a salt of its own. Raises TooManyPasswords."""
    with turns.taken():
        return _hasher().hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Takes as long where nothing is kept, so that the time does not tell whether there is such a user.

    Raises TooManyPasswords.
    """
    compared = kept or _nobodys()
    try:
        with turns.taken():
            return _hasher().verify(compared, password) and kept is not None
    except VerifyMismatchError:
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


@cache
def _nobodys() -> str:
    return _hasher().hash("")
