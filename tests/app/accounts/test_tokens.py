"""API tokens."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts import tokens, users
from app.accounts.errors import UnknownToken
from app.accounts.models import Role, User
from app.accounts.tokens import Caller

DAY = timedelta(days=1)


def test_a_token_lets_a_program_act_for_its_user(session: Session, ada: User) -> None:
    _, shown = tokens.issue(session, ada, "a script", DAY)

    assert tokens.caller(session, shown) == Caller(ada.id, Role.CUSTOMER)


def test_what_is_no_token_lets_nobody_act(session: Session, ada: User) -> None:
    _, shown = tokens.issue(session, ada, "a script", DAY)

    assert tokens.caller(session, shown + "x") is None
    assert tokens.caller(session, shown.removeprefix(tokens.PREFIX)) is None
    assert tokens.caller(session, "") is None


def test_a_token_that_is_over_lets_nobody_act(session: Session, ada: User) -> None:
    _, shown = tokens.issue(session, ada, "a script", timedelta(seconds=-1))

    assert tokens.caller(session, shown) is None


def test_what_a_token_shows_is_kept_nowhere(session: Session, ada: User) -> None:
    _, shown = tokens.issue(session, ada, "a script", DAY)

    row = str(session.execute(text("SELECT t::text, encode(digest, 'escape') FROM tokens t")).one())
    assert "a script" in row
    assert shown not in row
    assert shown.removeprefix(tokens.PREFIX) not in row


def test_a_token_is_revoked_by_its_user_alone(session: Session, ada: User) -> None:
    bruno = users.register(session, "bruno@example.com", "Bruno")
    token, shown = tokens.issue(session, ada, "a script", DAY)

    with pytest.raises(UnknownToken):
        tokens.revoke(session, bruno.id, token.id)
    assert tokens.caller(session, shown)

    tokens.revoke(session, ada.id, token.id)
    assert tokens.caller(session, shown) is None
    assert tokens.list_tokens(session, ada.id) == []


def test_those_that_are_over_are_forgotten(session: Session, ada: User) -> None:
    tokens.issue(session, ada, "over", -DAY)
    tokens.issue(session, ada, "not yet", DAY)

    assert tokens.purge(session, datetime.now(UTC)) == 1
    assert [token.name for token in tokens.list_tokens(session, ada.id)] == ["not yet"]


@pytest.fixture
def ada(session: Session) -> User:
    return users.register(session, "ada@example.com", "Ada")
