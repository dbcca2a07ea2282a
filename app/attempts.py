"""How often somebody may try to sign in."""

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import case, delete, func, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import TooManyAttempts
from app.models import SignInAttempts
from app.users import folded

WINDOW = timedelta(minutes=15)
FOR_A_USER, FROM_AN_ADDRESS = 10, 100
"""In that time: guesses at one password, and guesses at many from one place."""


def count(session: Session, email: str, address: str) -> None:
    """Raises TooManyAttempts. To be committed before the password is looked at: what is tried at once counts, too."""
    of_user, of_address = _subject("user", folded(email)), _subject("address", address)
    for subject, most in ((of_address, FROM_AN_ADDRESS), (of_user, FOR_A_USER)):
        tried, began = _count(session, subject)
        if tried > most:
            raise TooManyAttempts(retry_after=max(int((began + WINDOW - datetime.now(UTC)).total_seconds()), 1))


def forgive(session: Session, email: str) -> None:
    """What was tried for a user, once the password was right."""
    session.execute(delete(SignInAttempts).where(SignInAttempts.subject == _subject("user", folded(email))))


def forget(session: Session, now: datetime) -> int:
    """Delete what does not count any more; returns how many."""
    return session.connection().execute(delete(SignInAttempts).where(SignInAttempts.began_at < now - WINDOW)).rowcount


def _count(session: Session, subject: bytes) -> tuple[int, datetime]:
    is_over = SignInAttempts.began_at < func.now() - literal(WINDOW)
    counted = (
        insert(SignInAttempts)
        .values(subject=subject, count=1)
        .on_conflict_do_update(
            index_elements=[SignInAttempts.subject],
            set_={
                "count": case((is_over, 1), else_=SignInAttempts.count + 1),
                "began_at": case((is_over, func.now()), else_=SignInAttempts.began_at),
            },
        )
        .returning(SignInAttempts.count, SignInAttempts.began_at)
    )
    tried, began = session.execute(counted).one()
    return tried, began


def _subject(kind: str, text: str) -> bytes:
    """A digest: an e-mail address has no business in this table."""
    return hashlib.sha256(f"{kind}:{text}".encode()).digest()
