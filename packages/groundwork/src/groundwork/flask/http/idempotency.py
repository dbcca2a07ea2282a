"""Idempotency keys: a retried request is executed once and gets the same response.

The header Idempotency-Key is that of draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Request
from sqlalchemy import ForeignKey, LargeBinary, Row, String, Text, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.exceptions import BadRequest

from groundwork.flask.database import Base, Moment
from groundwork.flask.errors import IdempotencyKeyReused
from groundwork.flask.http.openapi.operation import Header
from groundwork.flask.http.requests import Body

IDEMPOTENCY_KEY_LENGTH = 255
KEPT = timedelta(days=1)
"""Minimum time for which a request can be retried."""

# The draft requires quotes, most clients omit them. Both forms: printable ASCII, no characters that need an escape.
BARE = rf"[!#-\[\]-~]{{1,{IDEMPOTENCY_KEY_LENGTH}}}"
KEY = re.compile(rf'("?)({BARE})\1')
HEADER = Header(
    "Idempotency-Key",
    "The same key with the same body is done once, and answered as it was the first time.",
    {"type": "string", "pattern": f'^({BARE}|"{BARE}")$', "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"]},
)


class IdempotencyKey(Base):
    """Request of a user with its response, which is empty only within the transaction that executes the request."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(IDEMPOTENCY_KEY_LENGTH), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(nullable=True)
    location: Mapped[str] = mapped_column(Text, nullable=True)
    body: Mapped[str] = mapped_column(Text, nullable=True)
    created_at: Mapped[Moment] = mapped_column(index=True)


# Built once, since every request with a key needs them.
THIS_KEY = (IdempotencyKey.user_id == bindparam("owner"), IdempotencyKey.key == bindparam("this"))
CLAIM = insert(IdempotencyKey).on_conflict_do_nothing().returning(IdempotencyKey.key)
KNOWN = select(IdempotencyKey.__table__).where(*THIS_KEY)
KEEP = update(IdempotencyKey).where(*THIS_KEY)


@dataclass(frozen=True)
class StoredResponse:
    status: int
    location: str
    body: str


def key(request: Request) -> str | None:
    """Return the key; None if the request has none. Raise BadRequest if it is malformed."""
    given = request.headers.get(HEADER.name)
    if given is None:
        return None
    found = KEY.fullmatch(given)
    if found is None:
        raise BadRequest(
            f"{HEADER.name} should be 1 to {IDEMPOTENCY_KEY_LENGTH} printable ASCII characters, such as a UUID, "
            "without spaces, backslashes and inner quotes."
        )
    return found[2]


def fingerprint(request: Request, body: Body) -> bytes:
    """Return a hash that is the same for equal requests, whatever the layout of their JSON.

    It omits fields that were not sent: a field that a later release adds must not change the hash of the same body.
    """
    asked = f"{request.method} {request.path}\n{body.model_dump_json(exclude_unset=True)}"
    return hashlib.sha256(asked.encode()).digest()


def run_once(
    session: Session, user_id: int, key: str, fingerprint: bytes, act: Callable[[], StoredResponse]
) -> StoredResponse:
    """Return the response of `act`, or its stored response for the same key.

    Of concurrent calls one acts. The others wait for its commit and get its response; after a rollback, the next acts.
    An error in `act` therefore leaves the key free. Raise IdempotencyKeyReused if the fingerprint differs.
    """
    connection, this = session.connection(), {"owner": user_id, "this": key}
    # Before anything else is locked, or a second request would wait for what the first has locked for it.
    claimed = connection.scalar(CLAIM, {"user_id": user_id, "key": key, "fingerprint": fingerprint})
    if claimed is None:
        return _stored(connection.execute(KNOWN, this).one(), fingerprint)
    response = act()
    connection.execute(KEEP, {**this, **asdict(response)})
    return response


def purge(session: Session, before: datetime) -> int:
    """Delete keys first used before that time; return how many. A deleted key starts a new request."""
    return session.connection().execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before)).rowcount


def _stored(known: Row[Any], fingerprint: bytes) -> StoredResponse:
    if known.fingerprint != fingerprint:
        raise IdempotencyKeyReused(known.key)
    return StoredResponse(known.status, known.location, known.body)
