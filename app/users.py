"""Who buys, and who serves them."""

import string
import unicodedata

from pydantic import validate_email
from sqlalchemy import collate, func, select
from sqlalchemy.orm import Session

from app import passwords, tokens
from app.database import only_row, refusal
from app.errors import EmailTaken, UnknownUser, WrongCredentials
from app.models import ONE_USER_PER_EMAIL, Role, User

LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def register(session: Session, email: str, name: str, password: str | None = None, role: Role = Role.CUSTOMER) -> User:
    """Who has no password cannot sign in. Raises EmailTaken where another address is the same when `folded`."""
    kept = None if password is None else passwords.digest(password)
    user = User(email=normalised(email), name=name, role=role, password_hash=kept)
    with refusal(session, ONE_USER_PER_EMAIL, EmailTaken(email)):
        session.add(user)
    return user


def authenticate(session: Session, email: str, password: str) -> User:
    """Return the user; raise WrongCredentials in the same words and after the same time for an unknown address.

    A concurrent `set_password` waits for the end of the transaction, and then deletes the token that was issued in it.
    """
    user = named(session, email)
    known = user.password_hash if user else None
    if not passwords.fits(password, known) or user is None:
        raise WrongCredentials
    # Locked only now: argon2 would hold the row for as long as it takes.
    session.refresh(user, with_for_update={"read": True})
    if user.password_hash != known:
        raise WrongCredentials
    return user


def set_password(session: Session, user: User, password: str) -> None:
    """Replace the password, and end all tokens and sessions that were issued before."""
    user.password_hash = passwords.digest(password)
    session.flush()  # waits for a sign-in with the previous password, so that its token is deleted too
    tokens.revoke_all(session, user.id)


def named(session: Session, email: str) -> User | None:
    """Return the user with that e-mail address, as `folded` compares it."""
    return session.scalar(select(User).where(func.lower(collate(User.email, "C")) == folded(email)))


def folded(email: str) -> str:
    """Return the form in which addresses are compared: `normalised`, with A to Z in lower case.

    All other characters are compared as they are, as the unique index does. Python and PostgreSQL, and PostgreSQL in
    one locale and another, disagree on the lower case of some of them: of a dotted capital I, or a final sigma.
    """
    return normalised(email).translate(LOWER)


def normalised(email: str) -> str:
    """Return one of the ways to write it: composed characters (NFC), the domain in lower case and without punycode."""
    try:
        return validate_email(email)[1]
    except ValueError:  # such as grace@localhost, which was registered when this was not checked
        return unicodedata.normalize("NFC", email)


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
