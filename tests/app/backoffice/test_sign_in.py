"""Sign-in, sign-out and lifetime of sessions."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import tokens, users
from app.accounts.backoffice import auth
from app.accounts.models import Token, User
from app.factory import create_app
from groundwork.flask.security import login_throttle
from groundwork.testing import service
from tests.app.backoffice.conftest import HOME, PASSWORD, Desk, People


def test_the_staff_signs_in_and_out(anybody: Desk) -> None:
    entered = anybody.sign_in("Grace@Example.com")
    inside = anybody.get(HOME)
    left = anybody.send("/sign-out", page=HOME)
    outside = anybody.get(HOME)

    assert (entered.status_code, entered.location) == (303, HOME)
    assert "Grace" in inside.text
    assert (left.status_code, left.location) == (303, "/sign-in")
    assert outside.status_code == 302


def test_a_customer_is_told_that_the_desk_is_not_for_them(anybody: Desk) -> None:
    answer = anybody.sign_in("ada@example.com")

    assert answer.status_code == 403
    assert "This is for the staff." in answer.text
    assert anybody.get(HOME).status_code == 302


@pytest.mark.parametrize(
    ("email", "password"), [("grace@example.com", "wrong horse"), ("nobody@example.com", PASSWORD)]
)
def test_what_is_wrong_is_not_told(anybody: Desk, email: str, password: str) -> None:
    answer = anybody.sign_in(email, password)

    assert answer.status_code == 401
    assert "The e-mail address or the password is wrong." in answer.text
    assert f'value="{email}"' in answer.text
    assert password not in answer.text


@pytest.mark.parametrize("email", ["", "grace", "a\0@example.com", "x" * 300 + "@example.com"])
def test_what_is_no_address_is_said_at_the_field(anybody: Desk, email: str) -> None:
    answer = anybody.sign_in(email)

    assert answer.status_code == 422
    assert 'id="email-hint"' in answer.text
    assert 'aria-describedby="email-hint"' in answer.text


def test_a_password_can_be_guessed_a_few_times_only(anybody: Desk) -> None:
    for _ in range(login_throttle.FOR_A_USER):
        anybody.sign_in("grace@example.com", "wrong")

    answer = anybody.sign_in("grace@example.com")

    assert answer.status_code == 429
    assert "Please try again in" in answer.text


def test_who_knew_the_password_has_all_attempts_again(anybody: Desk) -> None:
    for _ in range(2):
        for _ in range(login_throttle.FOR_A_USER - 1):
            anybody.sign_in("grace@example.com", "wrong")
        assert anybody.sign_in("grace@example.com").status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        f"{HOME}\r\nLocation: https://evil.example/",
        "javascript:alert(1)",
        HOME.removeprefix("/"),
        "/caf\u00e9",
    ],
)
def test_nobody_is_led_elsewhere(anybody: Desk, elsewhere: str) -> None:
    assert anybody.sign_in("grace@example.com", next=elsewhere).location == HOME


def test_what_was_begun_ends_after_a_shift(desk: Desk, session: Session) -> None:
    began_before(session, auth.LONGEST - timedelta(seconds=10))
    within = desk.get(HOME).status_code
    began_before(session, auth.LONGEST + timedelta(seconds=10))

    assert (within, desk.get(HOME).status_code) == (200, 302)


def test_a_copy_of_the_cookie_is_no_good_after_signing_out(desk: Desk, app: Flask) -> None:
    copied = copy(desk, app)
    before = copied.get(HOME).status_code
    desk.send("/sign-out", page=HOME)

    assert (before, copied.get(HOME).status_code) == (200, 302)


def test_nor_after_signing_in_anew(desk: Desk, app: Flask) -> None:
    copied = copy(desk, app)
    desk.sign_in("grace@example.com")

    assert (copied.get(HOME).status_code, desk.get(HOME).status_code) == (302, 200)


def test_who_signs_out_on_the_phone_stays_at_the_desk(desk: Desk, app: Flask) -> None:
    phone = Desk(app, app.response_class)
    phone.sign_in("grace@example.com")
    phone.send("/sign-out", page=HOME)

    assert desk.get(HOME).status_code == 200


def test_what_was_begun_is_among_the_tokens_and_ends_with_its_own(desk: Desk, session: Session, people: People) -> None:
    begun = tokens.list_tokens(session, people.grace)
    names = [token.name for token in begun]
    tokens.revoke(session, people.grace, begun[0].id)
    session.commit()

    assert names == ["back office"]
    assert desk.get(HOME).status_code == 302


def test_what_a_cookie_holds_is_nothing_to_the_api(desk: Desk) -> None:
    with desk.session_transaction() as kept:
        headers = {"Authorization": f"Bearer {kept['token']}"}

    assert desk.get("/api/tokens", headers=headers).status_code == 401


def test_another_password_ends_what_was_begun_with_the_one_before(desk: Desk, session: Session, people: People) -> None:
    users.set_password(session, session.get_one(User, people.grace), "another password")
    session.commit()

    assert desk.get(HOME).status_code == 302


def test_a_cookie_cannot_be_made_up(anybody: Desk, people: People, session: Session) -> None:
    grace = session.get_one(User, people.grace)
    _, shown = tokens.issue(session, grace, "made up", auth.LONGEST)
    forged = create_forged({"token": shown, "key": auth._key(grace)})
    anybody.set_cookie("session", forged)

    assert anybody.get(HOME).status_code == 302


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(anybody: Desk) -> None:
    cookie = anybody.sign_in("grace@example.com").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires" not in cookie


def test_production_sends_the_cookie_by_tls_only(
    worker_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**worker_environment, "SECRET_KEY": "0123456789abcdef" * 2}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POSTGRES_PASSWORD", "fedcba9876543210")
    app = create_app("production")

    cookie = app.test_client().get("/sign-in").headers["Set-Cookie"]

    assert cookie.startswith("__Host-session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    service.dispose(app)


def began_before(session: Session, long: timedelta) -> None:
    session.scalars(select(Token)).one().expires_at = datetime.now(UTC) + auth.LONGEST - long
    session.commit()


def copy(desk: Desk, app: Flask) -> Desk:
    """Return another browser with the same cookie."""
    other = Desk(app, app.response_class)
    cookie = desk.get_cookie("session")
    assert cookie
    other.set_cookie("session", cookie.value)
    return other


def create_forged(content: dict[str, object]) -> str:
    """Return a session cookie that is signed as by Flask, but with another key."""
    from flask.sessions import SecureCookieSessionInterface

    other = Flask("other")
    other.secret_key = "another key of somebody else"
    serializer = SecureCookieSessionInterface().get_signing_serializer(other)
    assert serializer
    return str(serializer.dumps(content))
