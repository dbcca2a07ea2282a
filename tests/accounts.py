"""Accounts and their tokens, for tests."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.accounts import tokens, users
from app.accounts.models import Role, User

ADA = {"email": "ada@example.com", "name": "Ada", "password": "correct horse"}
"""Request body with which Ada registers by the API."""


def token(session: Session, user: User) -> dict[str, str]:
    """Issue a token and return the header that authenticates the user."""
    _, shown = tokens.issue(session, user, "a test", timedelta(hours=1))
    return {"Authorization": f"Bearer {shown}"}


def clerk(session: Session) -> dict[str, str]:
    """Register a staff account and return its header."""
    return token(session, users.register(session, "clerk@example.com", "Clerk", role=Role.STAFF))
