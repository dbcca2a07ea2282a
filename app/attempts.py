"""How often somebody may try to sign in, and how many may register from one place."""

import hashlib
import ipaddress
from datetime import UTC, datetime, timedelta

from sqlalchemy import case, delete, func, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import TooManyAttempts, TooManyRegistrations
from app.models import SignInAttempts
from app.users import folded

WINDOW = timedelta(minutes=15)
FOR_A_USER, FROM_AN_ADDRESS = 10, 100
"""In that time: guesses at one password, and guesses at many from one place."""
REGISTRATIONS = 100
"""In that time, from one place: those that were refused count too."""
NETWORK_V6 = 64
"""Bits of an IPv6 address that name a place: a client may use all of the addresses behind them."""


def count(session: Session, email: str, address: str) -> None:
    """Raises TooManyAttempts. To be committed before the password is looked at: what is tried at once counts, too."""
    of_user, of_address = _subject("user", folded(email)), _subject("address", _place(address))
    for subject, most in ((of_address, FROM_AN_ADDRESS), (of_user, FOR_A_USER)):
        if wait := _wait(session, subject, most):
            raise TooManyAttempts(wait)


def count_registration(session: Session, address: str) -> None:
    """Raise TooManyRegistrations; commit before the password is hashed, so that concurrent requests count."""
    if wait := _wait(session, _subject("registration", _place(address)), REGISTRATIONS):
        raise TooManyRegistrations(wait)


def forgive(session: Session, email: str) -> None:
    """What was tried for a user, once the password was right."""
    session.execute(delete(SignInAttempts).where(SignInAttempts.subject == _subject("user", folded(email))))


def forget(session: Session, now: datetime) -> int:
    """Delete what does not count any more; returns how many."""
    return session.connection().execute(delete(SignInAttempts).where(SignInAttempts.began_at < now - WINDOW)).rowcount


def _wait(session: Session, subject: bytes, most: int) -> int:
    """Count once more; return in how many seconds the subject may try again, 0 where it may now."""
    tried, began = _count(session, subject)
    left = (began + WINDOW - datetime.now(UTC)).total_seconds()
    return max(int(left), 1) if tried > most else 0


def _place(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped or ipaddress.ip_network((int(parsed), NETWORK_V6), strict=False))


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
