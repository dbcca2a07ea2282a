"""python -m scenarios NAME: fill the configured database with a situation."""

import os
import sys
from importlib import import_module
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import create_app
from app.database import db
from app.models import Order, Product, User


def main(arguments: list[str]) -> int:
    """Returns the exit code: 2 for a scenario that does not exist."""
    if len(arguments) != 1 or arguments[0] not in names():
        print(f"usage: python -m scenarios NAME, with one of: {', '.join(names())}", file=sys.stderr)
        return 2
    with create_app(os.environ["FLASK_CONFIG"]).app_context():
        print(fill(db.session(), arguments[0]))
    return 0


def names() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def fill(session: Session, name: str) -> str:
    """All of the scenario or nothing; says in a sentence what is there now."""
    if session.scalar(select(User.id).limit(1)):
        return "The database has users already: nothing was added."
    import_module(f"scenarios.{name}").fill(session)
    counts = [
        f"{session.scalar(select(func.count(table.id)))} {table.__tablename__}" for table in (User, Product, Order)
    ]
    session.commit()
    return f"{name}: {', '.join(counts)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
