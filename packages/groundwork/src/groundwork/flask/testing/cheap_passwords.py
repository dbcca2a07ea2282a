"""Password hashing at the lowest cost, since the real one would take most of the time of tests that sign in."""

import pytest
from argon2 import PasswordHasher

from groundwork.flask.security import passwords


def make_cheap(patch: pytest.MonkeyPatch) -> None:
    """Replace the hasher until the end of the test, and the hash of nobody, which would be kept for later tests."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    nobodys = hasher.hash("")
    patch.setattr(passwords, "_hasher", lambda: hasher)
    patch.setattr(passwords, "_nobodys", lambda: nobodys)
