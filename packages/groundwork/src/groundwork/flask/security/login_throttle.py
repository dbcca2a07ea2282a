"""Rate limits for sign-ins and registrations."""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import LargeBinary, case, delete, func, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from groundwork.flask.database import Base, Moment
from groundwork.flask.errors import Throttled
from groundwork.flask.security.emails import folded

WINDOW = timedelta(minutes=15)
FOR_A_USER, FROM_AN_ADDRESS = 10, 100
"""Sign-in attempts per window: for one user, and from one client address for all users."""
REGISTRATIONS = 100
"""Registrations per window and client address; refused ones count too."""
NETWORK_V6 = 64
"""Bits of an IPv6 address that identify a client: it may use all addresses in that network."""


@dataclass(eq=False)
class TooManyAttempts(Throttled):
    def __str__(self) -> str:
        return f"Too many attempts to sign in. Please try again in {-(-self.retry_after // 60)} min."


@dataclass(eq=False)
class TooManyRegistrations(Throttled):
    def __str__(self) -> str:
        return f"Too many users have registered from there. Please try again in {-(-self.retry_after // 60)} min."


class SignInAttempts(Base):
    """Counter of recent sign-in attempts; `subject` is the digest of the user or client address."""

    __tablename__ = "sign_in_attempts"

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    count: Mapped[int]
    began_at: Mapped[Moment] = mapped_column(index=True)


def count(session: Session, email: str, address: str) -> None:
    """Count an attempt; raise TooManyAttempts over a limit. Commit before the password check: concurrent ones count."""
    of_user, of_address = _subject("user", folded(email)), _subject("address", _network(address))
    for subject, most in ((of_address, FROM_AN_ADDRESS), (of_user, FOR_A_USER)):
        if wait := _wait(session, subject, most):
            raise TooManyAttempts(wait)


def count_registration(session: Session, address: str) -> None:
    """Count a registration; raise TooManyRegistrations over the limit. Commit before hashing: concurrent ones count."""
    if wait := _wait(session, _subject("registration", _network(address)), REGISTRATIONS):
        raise TooManyRegistrations(wait)


def reset(session: Session, email: str) -> None:
    """Delete a user's attempts; call this after a correct password."""
    session.execute(delete(SignInAttempts).where(SignInAttempts.subject == _subject("user", folded(email))))


def purge(session: Session, now: datetime) -> int:
    """Delete expired attempts; return how many."""
    return session.connection().execute(delete(SignInAttempts).where(SignInAttempts.began_at < now - WINDOW)).rowcount


def _wait(session: Session, subject: bytes, most: int) -> int:
    """Count an attempt; return the seconds until the next one is allowed, 0 if this one is allowed."""
    tried, began = _count(session, subject)
    left = (began + WINDOW - datetime.now(UTC)).total_seconds()
    return max(int(left), 1) if tried > most else 0


def _network(address: str) -> str:
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
    """Return a digest, so that the table holds no e-mail addresses."""
    return hashlib.sha256(f"{kind}:{text}".encode()).digest()
