"""Who buys, and who serves them."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import passwords
from app.database import only_row, refusal
from app.errors import EmailTaken, UnknownUser, WrongCredentials
from app.models import ONE_USER_PER_EMAIL, Role, User


def register(session: Session, email: str, name: str, password: str | None = None, role: Role = Role.CUSTOMER) -> User:
    """Who has no password cannot sign in. Raises EmailTaken, whatever the case of its letters."""
    kept = None if password is None else passwords.digest(password)
    user = User(email=email, name=name, role=role, password_hash=kept)
    with refusal(session, ONE_USER_PER_EMAIL, EmailTaken(email)):
        session.add(user)
    return user


def authenticate(session: Session, email: str, password: str) -> User:
    """Raises WrongCredentials, in the same words and after the same time whether or not there is such a user."""
    user = named(session, email)
    if passwords.fits(password, user.password_hash if user else None) and user:
        return user
    raise WrongCredentials


def named(session: Session, email: str) -> User | None:
    """By the e-mail address, whatever the case of its letters."""
    return session.scalar(select(User).where(func.lower(User.email) == email.lower()))


def find(session: Session, user_id: int) -> User:
    """Raises UnknownUser."""
    user = session.get(User, user_id)
    if user is None:
        raise UnknownUser(user_id)
    return user


def require(session: Session, user_id: int) -> None:
    """Raises UnknownUser."""
    if only_row(session, "SELECT FROM users WHERE id = %s", user_id) is None:
        raise UnknownUser(user_id)
