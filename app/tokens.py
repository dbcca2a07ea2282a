"""Tokens, by which a program or a browser acts for a user: shown once, named, and over after a time."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import only_row
from app.errors import UnknownToken
from app.models import Role, Token, User

PREFIX = "shop_"
"""So that a token is recognised for what it is, in a log or a commit, by people and by scanners."""
DESK_PREFIX = "desk_"
"""Of those that a cookie of the desk holds; the API takes none of them."""
BYTES = 32

CALLER = """
SELECT users.id, users.role FROM tokens JOIN users ON users.id = tokens.user_id
WHERE tokens.digest = %s AND tokens.expires_at > now()
"""


class Caller(NamedTuple):
    """Who asks."""

    id: int
    role: Role

    @property
    def is_staff(self) -> bool:
        return self.role is Role.STAFF


def issue(session: Session, user: User, name: str, lifetime: timedelta, prefix: str = PREFIX) -> tuple[Token, str]:
    """The token, and what it shows: 256 random bits, which are kept nowhere."""
    shown = prefix + secrets.token_urlsafe(BYTES)
    token = Token(user_id=user.id, name=name, digest=_digest(shown), expires_at=datetime.now(UTC) + lifetime)
    session.add(token)
    session.flush()
    return token, shown


def caller(session: Session, shown: str) -> Caller | None:
    """Whom it lets act; none where it is no token, or none any more."""
    if not shown.startswith(PREFIX):
        return None
    row = only_row(session, CALLER, _digest(shown))
    return Caller(row[0], Role(row[1])) if row else None


def user(session: Session, shown: str) -> User | None:
    """All that is known of whom it lets act; none where it is over, or was revoked."""
    return session.scalar(
        select(User)
        .join(Token, Token.user_id == User.id)
        .where(Token.digest == _digest(shown), Token.expires_at > func.now())
    )


def of(session: Session, user_id: int) -> Sequence[Token]:
    """The newest first, those that are over too."""
    return session.scalars(select(Token).where(Token.user_id == user_id).order_by(Token.id.desc())).all()


def revoke(session: Session, user_id: int, token_id: int) -> None:
    """Raises UnknownToken where it is not the user's."""
    token = session.scalar(select(Token).where(Token.id == token_id, Token.user_id == user_id))
    if token is None:
        raise UnknownToken(token_id)
    session.delete(token)
    session.flush()


def revoke_all(session: Session, user_id: int) -> None:
    """Delete all tokens of a user, those of browsers included."""
    session.connection().execute(delete(Token).where(Token.user_id == user_id))


def give_up(session: Session, shown: str) -> None:
    """By who has it. Nobody else can use it any more either; nothing happens where it is gone."""
    session.connection().execute(delete(Token).where(Token.digest == _digest(shown)))


def forget(session: Session, now: datetime) -> int:
    """Delete those that are over; returns how many."""
    return session.connection().execute(delete(Token).where(Token.expires_at < now)).rowcount


def _digest(shown: str) -> bytes:
    """Without a salt and fast: nobody guesses 256 bits."""
    return hashlib.sha256(shown.encode()).digest()
