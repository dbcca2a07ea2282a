"""The first days: somebody of the staff, and a few items.

Everybody signs in with the password `correct horse battery staple`; grace@example.com is of the staff.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.accounts import users
from app.accounts.models import Role
from app.items import items
from groundwork.scenarios.loading import clock

# Made once by groundwork.flask.security.passwords: its salt is random, and each load must be the same.
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$uHDTVK3RVHo02wk5/azOAg$I+xHE5thl0LsVhR6n1Clq+mo7WM1fErq81cAO/l24FE"  # noqa: S105  of nobody


def fill(session: Session, seed: int) -> None:  # noqa: ARG001  as every story has it
    """Fill in the same rows for every seed."""
    for name, role in (("Grace Novak", Role.STAFF), ("Ada Okafor", Role.CUSTOMER)):
        user = users.register(session, f"{name.split()[0].lower()}@example.com", name, role=role)
        user.password_hash = PASSWORD_HASH
    for days_ago, name in enumerate(("A third one", "A second one", "A first one")[::-1]):
        items.add(session, name).created_at = clock.NOW - timedelta(days=3 - days_ago)
