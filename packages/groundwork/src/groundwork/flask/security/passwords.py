"""Password hashing, and the check for known passwords."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from groundwork.flask.errors import Busy

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""OWASP's minimum (Password Storage Cheat Sheet): half the threads of a process may use it concurrently."""

KNOWN = Path(__file__).with_name("known_passwords.txt.gz")
"""Known passwords of 12 characters and more, one per line; the first lines name the source lists."""


@dataclass(eq=False)
class TooManyPasswords(Busy):
    """The process already hashes as many passwords as it may; nothing was changed."""

    def __str__(self) -> str:
        return "Too many passwords are being checked at this moment. Please try again."


class Turns:
    """Limit on concurrent password hashing in this process; unlimited until set."""

    def __init__(self) -> None:
        self._free: BoundedSemaphore | None = None

    def limit(self, most: int | None) -> None:
        self._free = BoundedSemaphore(most) if most else None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raise TooManyPasswords if no slot is free: waiting would block threads that other requests need."""
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
    """Return the argon2id hash with its parameters and a new salt. Raise TooManyPasswords if no slot is free."""
    with turns.taken():
        return _hasher().hash(password)


def verify(password: str, kept: str | None) -> bool:
    """Return whether the password matches; take as long without a stored hash, to hide whether the user exists.

    Raise TooManyPasswords if no slot is free.
    """
    compared = kept or _nobodys()
    try:
        with turns.taken():
            return _hasher().verify(compared, password) and kept is not None
    except VerifyMismatchError:
        return False


def is_known(password: str, *about: str) -> bool:
    """Return whether the password is easy to guess: it is common, or equals one of `about`, facts about the user.

    The comparison is of the whole password, ignoring case, as NIST SP 800-63B-4 (section 3.1.1.2) requires.
    """
    return password.lower() in _known() or password.casefold() in {each.casefold() for each in about}


@cache
def _known() -> frozenset[str]:
    lines = gzip.decompress(KNOWN.read_bytes()).decode("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


@cache
def _nobodys() -> str:
    return _hasher().hash("")
