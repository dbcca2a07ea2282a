"""A request that is sent again is done once, and answered as it was the first time."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import IdempotencyKeyReused
from app.models import IdempotencyKey, User

KEPT = timedelta(days=1)
"""For so long at least a request can be sent again."""


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    body: str


def once(session: Session, user: User, key: str, fingerprint: bytes, act: Callable[[], Answer]) -> Answer:
    """What `act` answers, or answered when it was asked for with the same key.

    Of several at once one acts. The others wait for its commit and get its answer; if it is rolled back, the next acts.
    So what `act` raises leaves the key free. Raises IdempotencyKeyReused where the fingerprint is another one.
    """
    this_key = (IdempotencyKey.user_id == user.id, IdempotencyKey.key == key)
    # Before anything else is locked, or a second request would wait for goods that the first has bought for it.
    claim = insert(IdempotencyKey).values(user_id=user.id, key=key, fingerprint=fingerprint).on_conflict_do_nothing()
    if session.scalar(claim.returning(IdempotencyKey.key)) is None:
        return _answered(session.scalars(select(IdempotencyKey).where(*this_key)).one(), fingerprint)
    answer = act()
    session.execute(update(IdempotencyKey).where(*this_key).values(asdict(answer)))
    return answer


def forget(session: Session, before: datetime) -> int:
    """Delete the keys that were first used before that; returns how many. Whoever sends one again is a new request."""
    return session.connection().execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before)).rowcount


def _answered(known: IdempotencyKey, fingerprint: bytes) -> Answer:
    if known.fingerprint != fingerprint:
        raise IdempotencyKeyReused(known.key)
    return Answer(known.status, known.location, known.body)
