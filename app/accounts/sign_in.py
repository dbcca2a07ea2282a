"""Sign-in by e-mail address and password, for the API and the back office."""

from sqlalchemy.orm import Session

from app.accounts import users
from app.accounts.models import User
from groundwork.flask.security import login_throttle


def sign_in(session: Session, email: str, password: str, address: str) -> User:
    """Return the user; raise TooManyAttempts if over a limit, WrongCredentials if the address or password is wrong.

    Unlike other service functions, it commits: the attempt is stored before the password check, so that concurrent and
    refused attempts count too.
    """
    login_throttle.count(session, email, address)
    session.commit()
    user = users.authenticate(session, email, password)
    login_throttle.reset(session, email)
    return user
