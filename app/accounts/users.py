"""Users: registration, passwords and e-mail addresses."""

from sqlalchemy import collate, func, select
from sqlalchemy.orm import Session

from app.accounts import tokens
from app.accounts.errors import EmailTaken, KnownPassword, UnknownUser, WrongCredentials
from app.accounts.models import ONE_USER_PER_EMAIL, Role, User
from groundwork.flask.database import translate_violation
from groundwork.flask.security import passwords
from groundwork.flask.security.emails import folded, normalised


def register(session: Session, email: str, name: str, password: str | None = None, role: Role = Role.CUSTOMER) -> User:
    """Register a user; without a password, the user cannot sign in.

    Raise KnownPassword if the password is easy to guess, EmailTaken if another address is the same when `folded`.
    """
    kept = None if password is None else _digest(password, email, name)
    user = User(email=normalised(email), name=name, role=role, password_hash=kept)
    with translate_violation(session, ONE_USER_PER_EMAIL, EmailTaken(email)):
        session.add(user)
    return user


def authenticate(session: Session, email: str, password: str) -> User:
    """Return the user; raise WrongCredentials with the same message and timing for an unknown address.

    A concurrent `set_password` waits for the end of the transaction, and then deletes the token issued in it.
    """
    user = find_by_email(session, email)
    known = user.password_hash if user else None
    if not passwords.verify(password, known) or user is None:
        raise WrongCredentials
    # Locked only now, so that the row is not locked while argon2 runs.
    session.refresh(user, with_for_update={"read": True})
    if user.password_hash != known:
        raise WrongCredentials
    return user


def set_password(session: Session, user: User, password: str) -> None:
    """Replace the password, and revoke all earlier tokens and sessions. Raise KnownPassword if it is easy to guess."""
    user.password_hash = _digest(password, user.email, user.name)
    session.flush()  # waits for a sign-in with the previous password, so that its token is deleted too
    tokens.revoke_all(session, user.id)


def find_by_email(session: Session, email: str) -> User | None:
    """Return the user whose e-mail address is the same when `folded`; None if there is none."""
    return session.scalar(select(User).where(func.lower(collate(User.email, "C")) == folded(email)))


def find(session: Session, user_id: int) -> User:
    """Return the user; raise UnknownUser if there is none."""
    user = session.get(User, user_id)
    if user is None:
        raise UnknownUser(user_id)
    return user


def require(session: Session, user_id: int) -> None:
    """Raise UnknownUser if there is no such user."""
    if session.scalar(select(User.id).where(User.id == user_id)) is None:
        raise UnknownUser(user_id)


def _digest(password: str, email: str, name: str) -> str:
    """Return the hash of the password; raise KnownPassword if it is easy to guess."""
    if passwords.is_known(password, email, email.partition("@")[0], name):
        raise KnownPassword
    return passwords.digest(password)
