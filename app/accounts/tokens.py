"""Tokens with which a program or a browser acts for a user: shown once, named, and limited in time."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.accounts.errors import UnknownToken
from app.accounts.models import Role, Token, User

PREFIX = "token_"
"""Makes a token recognisable in a log or a commit, to people and to secret scanners."""
DESK_PREFIX = "desk_"
"""Prefix of the tokens in the back office's cookies; the API rejects these."""
BYTES = 32


class Caller(NamedTuple):
    """Authenticated user of a request."""

    id: int
    role: Role

    @property
    def is_staff(self) -> bool:
        return self.role is Role.STAFF


def issue(session: Session, user: User, name: str, lifetime: timedelta, prefix: str = PREFIX) -> tuple[Token, str]:
    """Return a new token and its plain text: 256 random bits, which are stored nowhere."""
    shown = prefix + secrets.token_urlsafe(BYTES)
    token = Token(user_id=user.id, name=name, digest=_digest(shown), expires_at=datetime.now(UTC) + lifetime)
    session.add(token)
    session.flush()
    return token, shown


def caller(session: Session, shown: str) -> Caller | None:
    """Return the token's user; None if the token is invalid, expired or revoked."""
    if not shown.startswith(PREFIX):
        return None
    row = session.execute(
        select(User.id, User.role)
        .join(Token, Token.user_id == User.id)
        .where(Token.digest == _digest(shown), Token.expires_at > func.now())
    ).one_or_none()
    return Caller(*row) if row else None


def user(session: Session, shown: str) -> User | None:
    """Return the whole entity of the token's user; None if the token is expired or revoked."""
    return session.scalar(
        select(User)
        .join(Token, Token.user_id == User.id)
        .where(Token.digest == _digest(shown), Token.expires_at > func.now())
    )


def list_tokens(session: Session, user_id: int) -> Sequence[Token]:
    """Return the user's tokens, newest first, including expired ones."""
    return session.scalars(select(Token).where(Token.user_id == user_id).order_by(Token.id.desc())).all()


def revoke(session: Session, user_id: int, token_id: int) -> None:
    """Delete the token; raise UnknownToken if it is not the user's."""
    token = session.scalar(select(Token).where(Token.id == token_id, Token.user_id == user_id))
    if token is None:
        raise UnknownToken(token_id)
    session.delete(token)
    session.flush()


def revoke_all(session: Session, user_id: int) -> None:
    """Delete all tokens of a user, including those of browsers."""
    session.connection().execute(delete(Token).where(Token.user_id == user_id))


def give_up(session: Session, shown: str) -> None:
    """Delete the token, also for other holders of a copy; do nothing if it is gone."""
    session.connection().execute(delete(Token).where(Token.digest == _digest(shown)))


def purge(session: Session, now: datetime) -> int:
    """Delete expired tokens; return how many."""
    return session.connection().execute(delete(Token).where(Token.expires_at < now)).rowcount


def _digest(shown: str) -> bytes:
    """Hash without a salt and fast: 256 random bits cannot be guessed."""
    return hashlib.sha256(shown.encode()).digest()
