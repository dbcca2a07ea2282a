"""Passwords, of which nothing is kept but what it takes to recognise them."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""The least that OWASP asks for (Password Storage Cheat Sheet): every thread of a process may take it at once."""


def digest(password: str) -> str:
    """As argon2id, with its parameters and a salt of its own."""
    return _hasher().hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Takes as long where nothing is kept, so that the time does not tell whether there is such a user."""
    try:
        return _hasher().verify(kept or _nobodys(), password) and kept is not None
    except VerifyMismatchError:
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


@cache
def _nobodys() -> str:
    return digest("")
