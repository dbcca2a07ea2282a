"""Passwords."""

from contextlib import ExitStack

import pytest

from app import passwords
from app.errors import TooManyPasswords
from app.factory import create_app
from tests import service

PRODUCTION = {
    "POSTGRES_HOST": "127.0.0.1",
    "POSTGRES_USER": "app",
    "POSTGRES_PASSWORD": "fedcba9876543210",
    "APPLICATION_DB": "app",
    "SECRET_KEY": "0123456789abcdef" * 2,
}


def test_a_password_is_recognised_and_no_other_is() -> None:
    kept = passwords.digest("correct horse")

    assert passwords.fits("correct horse", kept)
    assert not passwords.fits("correct horse ", kept)
    assert not passwords.fits("", kept)


def test_what_is_kept_tells_nothing_and_is_another_each_time() -> None:
    first, second = passwords.digest("correct horse"), passwords.digest("correct horse")

    assert first.startswith("$argon2id$")
    assert "correct" not in first
    assert first != second


def test_where_nothing_is_kept_nothing_fits() -> None:
    assert not passwords.fits("", None)
    assert not passwords.fits("correct horse", None)


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (4, 2), (5, 2)])
def test_half_the_threads_of_a_process_hash_at_most(monkeypatch: pytest.MonkeyPatch, threads: int, most: int) -> None:
    monkeypatch.setattr(passwords, "turns", passwords.Turns())
    monkeypatch.setenv("GUNICORN_THREADS", str(threads))
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    service.dispose(create_app("production"))

    with ExitStack() as taken:
        for _ in range(most):
            taken.enter_context(passwords.turns.taken())
        with pytest.raises(TooManyPasswords):
            passwords.digest("correct horse")
    passwords.digest("correct horse")
