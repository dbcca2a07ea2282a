"""Passwords."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from app import passwords
from app.errors import TooManyPasswords
from app.factory import create_app
from tests import service

DOCUMENT = json.loads((Path(__file__).parents[2] / "config" / "production.json").read_text("utf-8"))
SECRETS = dict.fromkeys(DOCUMENT["secrets"], "0123456789abcdef")
PRODUCTION = {name: str(value) for name, value in DOCUMENT["environment"].items()} | SECRETS


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
    for name, value in (PRODUCTION | {"GUNICORN_THREADS": str(threads)}).items():
        monkeypatch.setenv(name, value)
    service.dispose(create_app("production"))

    with ExitStack() as taken:
        for _ in range(most):
            taken.enter_context(passwords.turns.taken())
        with pytest.raises(TooManyPasswords):
            passwords.digest("correct horse")
    passwords.digest("correct horse")
