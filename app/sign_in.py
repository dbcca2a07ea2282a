"""Signing in by e-mail address and password, wherever it is done."""

from sqlalchemy.orm import Session

from app import attempts, users
from app.models import User


def sign_in(session: Session, email: str, password: str, address: str) -> User:
    """Raises TooManyAttempts or WrongCredentials.

    Commits the attempt before the password is looked at, as no other service does: what is tried at once counts, too,
    and so does what is refused.
    """
    attempts.count(session, email, address)
    session.commit()
    user = users.authenticate(session, email, password)
    attempts.forgive(session, email)
    return user
