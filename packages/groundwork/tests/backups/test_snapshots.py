"""Snapshots of a database: a restore is exact, and disconnects all clients."""

import threading

import psycopg
import pytest

from groundwork.backups import snapshots
from groundwork.backups.snapshots import Snapshots
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import cluster, database
from groundwork.system.errors import Exit
from packages.groundwork.tests.backups.conftest import change, databases, restore, rows

pytestmark = pytest.mark.scenario("low_stock")


def test_what_changed_since_a_snapshot_comes_back(settings: Configuration, kept: Snapshots) -> None:
    before = rows(settings)
    taken = kept.take("before")

    change(settings)
    kept.restore(kept.find("before"))

    assert rows(settings) == before
    assert taken.revision == " ".join(revisions.heads())
    assert kept.list_all() == [taken]
    change(settings)
    restore(settings, taken)
    assert rows(settings) == before
    assert databases(settings) == ["", "@before"]


def test_whoever_is_connected_is_disconnected_and_whoever_comes_again_is_let_in(
    settings: Configuration, kept: Snapshots
) -> None:
    """Several threads reconnect all the time, as a connection pool does."""
    done = threading.Event()
    refused: list[str] = []
    threads = [threading.Thread(target=_come_again, args=(settings, done, refused)) for _ in range(3)]
    for thread in threads:
        thread.start()

    try:
        kept.take("busy")
        assert not refused
        kept.restore(kept.find("busy"))
    finally:
        done.set()
        for thread in threads:
            thread.join(60)

    assert rows(settings)


def test_a_database_whose_draft_would_have_a_name_too_long_is_left_alone() -> None:
    """PostgreSQL would truncate the draft's name to the database's own name, and drafts are dropped first."""
    with pytest.raises(Exit, match="a database name has at most 63 bytes"):
        cluster.derived_name("x" * 63, cluster.DRAFT)


def test_the_maintenance_database_is_not_copied(settings: Configuration) -> None:
    """A copy would disconnect all clients, including the task itself."""
    same = settings.with_values("the test", APPLICATION_DB=settings["POSTGRES_DB"])

    with snapshots.connect(same) as kept, pytest.raises(Exit, match="is also the maintenance database"):
        kept.take()


def _come_again(settings: Configuration, done: threading.Event, refused: list[str]) -> None:
    while not done.is_set():
        try:
            with database.connect(settings, settings["APPLICATION_DB"]) as connection:
                while not done.is_set():
                    connection.execute("SELECT count(*) FROM orders")
        except Exit as error:
            refused.append(str(error))
        except psycopg.OperationalError:
            continue
