"""Idempotency keys of repeated requests."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import users
from app.accounts.errors import UnknownUser
from app.accounts.models import User
from groundwork.flask.errors import IdempotencyKeyReused
from groundwork.flask.http import idempotency
from groundwork.flask.http.idempotency import IdempotencyKey, StoredResponse

SAME, OTHER = b"same", b"other"


def test_the_second_time_nothing_is_done_and_the_answer_is_the_first(session: Session, ada: User) -> None:
    answers = [StoredResponse(201, "/things/1", '{"id": 1}'), StoredResponse(201, "/things/2", '{"id": 2}')]
    left = list(answers)

    first = idempotency.run_once(session, ada.id, "a key", SAME, lambda: left.pop(0))
    again = idempotency.run_once(session, ada.id, "a key", SAME, lambda: left.pop(0))

    assert first == again == answers[0]
    assert left == answers[1:]


def test_a_key_belongs_to_one_request(session: Session, ada: User) -> None:
    idempotency.run_once(session, ada.id, "a key", SAME, answer)

    with pytest.raises(IdempotencyKeyReused, match="a key"):
        idempotency.run_once(session, ada.id, "a key", OTHER, answer)


def test_the_same_key_of_somebody_else_is_another(session: Session, ada: User) -> None:
    bruno = users.register(session, "bruno@example.com", "Bruno")

    idempotency.run_once(session, ada.id, "a key", SAME, answer)

    assert idempotency.run_once(session, bruno.id, "a key", OTHER, answer) == answer()


def test_a_refusal_leaves_the_key_free(session: Session, ada: User) -> None:
    def refuse() -> StoredResponse:
        raise UnknownUser(1)

    with pytest.raises(UnknownUser), session.begin_nested():
        idempotency.run_once(session, ada.id, "a key", SAME, refuse)

    assert idempotency.run_once(session, ada.id, "a key", OTHER, answer) == answer()


def test_keys_are_forgotten_a_day_after_their_first_use(app: Flask, session: Session, ada: User) -> None:
    now = datetime.now(UTC)
    for hours in (1, 23, 25, 1000):
        session.add(
            IdempotencyKey(user_id=ada.id, key=str(hours), fingerprint=SAME, created_at=now - timedelta(hours=hours))
        )
    session.commit()

    ran = app.test_cli_runner().invoke(args=["prune"])

    assert ran.exit_code == 0, ran.output
    assert set(session.scalars(select(IdempotencyKey.key))) == {"1", "23"}
    assert session.scalar(select(func.count()).select_from(User)) == 1


def answer() -> StoredResponse:
    return StoredResponse(201, "/things/1", "{}")


@pytest.fixture
def ada(session: Session) -> User:
    return users.register(session, "ada@example.com", "Ada")
