"""The same test with a dictionary instead of a database, and without importing the app."""

import os

import pytest


@pytest.mark.parametrize("number", range(int(os.environ["BENCHMARK_TESTS"])))
def test_a_user_is_kept(number: int) -> None:
    email = f"{number}@example.org"
    users: dict[str, str] = {}

    users[email] = "Ada"

    assert users[email] == "Ada"
