"""Before the first day: every table is there, and not a row in any."""

from sqlalchemy.orm import Session


def fill(_: Session, seed: int) -> None:
    """Nothing has happened yet, whatever the seed."""
