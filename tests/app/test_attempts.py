"""How often somebody may try to sign in."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import attempts
from app.errors import TooManyAttempts, TooManyRegistrations
from app.models import SignInAttempts

HERE, THERE = "192.0.2.1", "192.0.2.2"


def test_a_password_can_be_guessed_a_few_times_only(session: Session) -> None:
    for number in range(attempts.FOR_A_USER):
        attempts.count(session, "ada@example.com", f"192.0.2.{number}")

    with pytest.raises(TooManyAttempts) as raised:
        attempts.count(session, "Ada@Example.com", HERE)

    assert 0 < raised.value.retry_after <= attempts.WINDOW.total_seconds()
    attempts.count(session, "bruno@example.com", HERE)


def test_attempts_for_two_addresses_are_counted_apart(session: Session) -> None:
    for number in range(attempts.FOR_A_USER):
        attempts.count(session, "İsmail@example.com", f"192.0.2.{number}")

    attempts.count(session, "i\u0307smail@example.com", HERE)


def test_many_passwords_cannot_be_guessed_from_one_place(session: Session) -> None:
    for number in range(attempts.FROM_AN_ADDRESS):
        attempts.count(session, f"user{number}@example.com", HERE)

    with pytest.raises(TooManyAttempts):
        attempts.count(session, "ada@example.com", HERE)
    attempts.count(session, "ada@example.com", THERE)


@pytest.mark.parametrize(
    ("address", "same", "another"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
        ("unknown", "unknown", "192.0.2.1"),
    ],
)
def test_a_client_with_many_ipv6_addresses_is_one_place(
    session: Session, address: str, same: str, another: str
) -> None:
    for number in range(attempts.FROM_AN_ADDRESS):
        attempts.count(session, f"user{number}@example.com", address)

    with pytest.raises(TooManyAttempts):
        attempts.count(session, "ada@example.com", same)
    attempts.count(session, "bruno@example.com", another)


def test_registrations_from_one_place_have_a_limit_of_their_own(session: Session) -> None:
    for _ in range(attempts.REGISTRATIONS):
        attempts.count_registration(session, HERE)

    with pytest.raises(TooManyRegistrations) as raised:
        attempts.count_registration(session, HERE)

    assert 0 < raised.value.retry_after <= attempts.WINDOW.total_seconds()
    attempts.count_registration(session, THERE)
    attempts.count(session, "ada@example.com", HERE)


def test_after_a_while_one_may_try_again(session: Session) -> None:
    for _ in range(attempts.FOR_A_USER):
        attempts.count(session, "ada@example.com", HERE)
    session.execute(update(SignInAttempts).values(began_at=datetime.now(UTC) - attempts.WINDOW - timedelta(seconds=1)))

    for _ in range(attempts.FOR_A_USER):
        attempts.count(session, "ada@example.com", HERE)


def test_who_knew_the_password_has_all_attempts_again(session: Session) -> None:
    for _ in range(attempts.FOR_A_USER):
        attempts.count(session, "ada@example.com", HERE)

    attempts.forgive(session, "ada@example.com")

    attempts.count(session, "ada@example.com", HERE)


def test_what_does_not_count_any_more_is_forgotten(session: Session) -> None:
    attempts.count(session, "ada@example.com", HERE)

    assert attempts.forget(session, datetime.now(UTC)) == 0
    assert attempts.forget(session, datetime.now(UTC) + attempts.WINDOW + timedelta(seconds=1)) == 2
