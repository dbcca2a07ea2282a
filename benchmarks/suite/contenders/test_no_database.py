"""The same test, with a dictionary in the place of the database; nothing of the app is imported."""

import os

import pytest


@pytest.mark.parametrize("number", range(int(os.environ["BENCHMARK_TESTS"])))
def test_a_user_is_kept(number: int) -> None:
    email = f"{number}@example.org"
    users: dict[str, str] = {}

    users[email] = "Ada"

    assert users[email] == "Ada"
