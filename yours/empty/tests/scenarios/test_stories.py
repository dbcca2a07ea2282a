"""Every story, told to a database at the head of the migrations."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import items, users
from app.models import Item, User
from scenarios.loading import clock, telling
from tests.service import Database

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL = {"items": 300}


@pytest.mark.parametrize("name", telling.names())
def test_life_goes_on_after_a_story(database: Database, name: str) -> None:
    tell(database, name)

    with database.session() as session:
        assert session.scalars(select(func.count(Item.id)).where(Item.created_at > clock.NOW)).one() == 0
        users.register(session, "somebody.new@example.org", "Somebody New")
        assert items.newest(session, limit=1)[:1] != [items.add(session, "Another one")]


@pytest.mark.scenario("items", size=300)
def test_there_are_as_many_as_asked_for_and_the_newest_has_the_highest_number(database: Database) -> None:
    with database.session() as session:
        newest = items.newest(session, limit=1000)

        assert [item.id for item in newest] == list(range(300, 0, -1))
        assert [item.created_at for item in newest] == sorted((item.created_at for item in newest), reverse=True)
        assert session.scalars(select(func.count(User.id))).one() == 25


def tell(database: Database, name: str) -> None:
    size = ["--size", str(SMALL[name])] if name in SMALL else []
    told = subprocess.run(
        [sys.executable, "-m", "scenarios", name, *size],
        cwd=ROOT,
        env=database.environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
