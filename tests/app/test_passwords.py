"""Passwords."""

from app import passwords


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
