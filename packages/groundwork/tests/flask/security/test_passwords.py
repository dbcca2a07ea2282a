"""Password hashing and rules."""

import json
from contextlib import ExitStack

import pytest

from app.accounts.field_types import SHORTEST_PASSWORD
from app.factory import create_app
from groundwork.flask.security import passwords
from groundwork.flask.security.passwords import TooManyPasswords
from groundwork.system import paths
from groundwork.testing import service

DOCUMENT = json.loads((paths.CONFIG / "production.json").read_text("utf-8"))
SECRETS = dict.fromkeys(DOCUMENT["secrets"], "0123456789abcdef")
PRODUCTION = {name: str(value) for name, value in DOCUMENT["environment"].items()} | SECRETS


def test_a_password_is_recognised_and_no_other_is() -> None:
    kept = passwords.digest("correct horse")

    assert passwords.verify("correct horse", kept)
    assert not passwords.verify("correct horse ", kept)
    assert not passwords.verify("", kept)


def test_what_is_kept_tells_nothing_and_is_another_each_time() -> None:
    first, second = passwords.digest("correct horse"), passwords.digest("correct horse")

    assert first.startswith("$argon2id$")
    assert "correct" not in first
    assert first != second


def test_where_nothing_is_kept_nothing_fits() -> None:
    assert not passwords.verify("", None)
    assert not passwords.verify("correct horse", None)


@pytest.mark.parametrize(
    "password",
    [
        "123456789012",
        "PasswordPassword",
        "Password1234!",
        "p@ssw0rd1234",
        "qwertyuiop123",
        "aaaaaaaaaaaa",
        "iloveyou1234",
    ],
)
def test_a_common_password_is_known_whatever_its_case(password: str) -> None:
    assert passwords.is_known(password)


def test_what_others_know_of_a_user_is_no_password() -> None:
    about = ("ada.lovelace@example.com", "ada.lovelace", "Ada Lovelace")

    assert passwords.is_known("ADA LOVELACE", *about)
    assert passwords.is_known("Ada.Lovelace@example.com", *about)
    assert not passwords.is_known("Ada Lovelace and a horse", *about)


def test_the_list_has_no_entry_that_is_too_short_to_be_a_password() -> None:
    entries = passwords._known()

    assert len(entries) > 10_000
    assert [each for each in entries if len(each) < SHORTEST_PASSWORD or each != each.lower()] == []


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
