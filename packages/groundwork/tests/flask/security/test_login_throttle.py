"""Rate limits of sign-in attempts."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from groundwork.flask.security import login_throttle
from groundwork.flask.security.login_throttle import SignInAttempts, TooManyAttempts, TooManyRegistrations

HERE, THERE = "192.0.2.1", "192.0.2.2"


def test_a_password_can_be_guessed_a_few_times_only(session: Session) -> None:
    for number in range(login_throttle.FOR_A_USER):
        login_throttle.count(session, "ada@example.com", f"192.0.2.{number}")

    with pytest.raises(TooManyAttempts) as raised:
        login_throttle.count(session, "Ada@Example.com", HERE)

    assert 0 < raised.value.retry_after <= login_throttle.WINDOW.total_seconds()
    login_throttle.count(session, "bruno@example.com", HERE)


def test_attempts_for_two_addresses_are_counted_apart(session: Session) -> None:
    for number in range(login_throttle.FOR_A_USER):
        login_throttle.count(session, "İsmail@example.com", f"192.0.2.{number}")

    login_throttle.count(session, "i\u0307smail@example.com", HERE)


def test_many_passwords_cannot_be_guessed_from_one_place(session: Session) -> None:
    for number in range(login_throttle.FROM_AN_ADDRESS):
        login_throttle.count(session, f"user{number}@example.com", HERE)

    with pytest.raises(TooManyAttempts):
        login_throttle.count(session, "ada@example.com", HERE)
    login_throttle.count(session, "ada@example.com", THERE)


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
    for number in range(login_throttle.FROM_AN_ADDRESS):
        login_throttle.count(session, f"user{number}@example.com", address)

    with pytest.raises(TooManyAttempts):
        login_throttle.count(session, "ada@example.com", same)
    login_throttle.count(session, "bruno@example.com", another)


def test_registrations_from_one_place_have_a_limit_of_their_own(session: Session) -> None:
    for _ in range(login_throttle.REGISTRATIONS):
        login_throttle.count_registration(session, HERE)

    with pytest.raises(TooManyRegistrations) as raised:
        login_throttle.count_registration(session, HERE)

    assert 0 < raised.value.retry_after <= login_throttle.WINDOW.total_seconds()
    login_throttle.count_registration(session, THERE)
    login_throttle.count(session, "ada@example.com", HERE)


def test_after_a_while_one_may_try_again(session: Session) -> None:
    for _ in range(login_throttle.FOR_A_USER):
        login_throttle.count(session, "ada@example.com", HERE)
    session.execute(
        update(SignInAttempts).values(began_at=datetime.now(UTC) - login_throttle.WINDOW - timedelta(seconds=1))
    )

    for _ in range(login_throttle.FOR_A_USER):
        login_throttle.count(session, "ada@example.com", HERE)


def test_who_knew_the_password_has_all_attempts_again(session: Session) -> None:
    for _ in range(login_throttle.FOR_A_USER):
        login_throttle.count(session, "ada@example.com", HERE)

    login_throttle.reset(session, "ada@example.com")

    login_throttle.count(session, "ada@example.com", HERE)


def test_what_does_not_count_any_more_is_forgotten(session: Session) -> None:
    login_throttle.count(session, "ada@example.com", HERE)

    assert login_throttle.purge(session, datetime.now(UTC)) == 0
    assert login_throttle.purge(session, datetime.now(UTC) + login_throttle.WINDOW + timedelta(seconds=1)) == 2
