"""A request that is sent again is done once, and answered as it was the first time."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import IdempotencyKeyReused
from app.models import IdempotencyKey

KEPT = timedelta(days=1)
"""For so long at least a request can be sent again."""

# Built once, since every order with a key needs them.
THIS_KEY = (IdempotencyKey.user_id == bindparam("of"), IdempotencyKey.key == bindparam("this"))
CLAIM = insert(IdempotencyKey).on_conflict_do_nothing().returning(IdempotencyKey.key)
KNOWN = select(IdempotencyKey.__table__).where(*THIS_KEY)
KEEP = update(IdempotencyKey).where(*THIS_KEY)


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    body: str


def once(session: Session, user_id: int, key: str, fingerprint: bytes, act: Callable[[], Answer]) -> Answer:
    """What `act` answers, or answered when it was asked for with the same key.

    Of several at once one acts. The others wait for its commit and get its answer; if it is rolled back, the next acts.
    So what `act` raises leaves the key free. Raises IdempotencyKeyReused where the fingerprint is another one.
    """
    connection, this = session.connection(), {"of": user_id, "this": key}
    # Before anything else is locked, or a second request would wait for goods that the first has bought for it.
    claimed = connection.scalar(CLAIM, {"user_id": user_id, "key": key, "fingerprint": fingerprint})
    if claimed is None:
        return _answered(connection.execute(KNOWN, this).one(), fingerprint)
    answer = act()
    connection.execute(KEEP, {**this, **asdict(answer)})
    return answer


def forget(session: Session, before: datetime) -> int:
    """Delete the keys that were first used before that; returns how many. Whoever sends one again is a new request."""
    return session.connection().execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before)).rowcount


def _answered(known: Row[Any], fingerprint: bytes) -> Answer:
    if known.fingerprint != fingerprint:
        raise IdempotencyKeyReused(known.key)
    return Answer(known.status, known.location, known.body)
