"""Who buys."""

from sqlalchemy.orm import Session

from app.database import refusal
from app.errors import EmailTaken, UnknownUser
from app.models import ONE_USER_PER_EMAIL, User


def register(session: Session, email: str, name: str) -> User:
    """Raises EmailTaken, whatever the case of its letters."""
    user = User(email=email, name=name)
    with refusal(session, ONE_USER_PER_EMAIL, EmailTaken(email)):
        session.add(user)
    return user


def find(session: Session, user_id: int) -> User:
    """Raises UnknownUser."""
    user = session.get(User, user_id)
    if user is None:
        raise UnknownUser(user_id)
    return user
