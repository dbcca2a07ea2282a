"""Output and prompts of the snapshot tasks, in a clone."""

import os
import re
import sys

import pytest

from groundwork.backups.snapshots import Snapshots
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import database
from groundwork.tasks.db import backup
from packages.groundwork.tests.backups.conftest import Tasks, change, rows
from packages.groundwork.tests.conftest import Clone, write_migration

pytestmark = pytest.mark.scenario("low_stock")


def test_the_tasks_say_what_they_did(tasks: Tasks, settings: Configuration, kept: Snapshots) -> None:
    assert tasks(backup.list_snapshots) == "there are no snapshots: inv db.snapshot takes one\n"

    kept_now = tasks(backup.snapshot, name="before")
    assert re.fullmatch(r"took snapshot before \(\d+ kB\); restore it: inv db.restore --name before\n", kept_now)
    change(settings)
    assert re.search(r"NAME .*\nbefore +\w{12} +20..-..-.. ..:.. +\d+ kB\n", tasks(backup.list_snapshots))
    assert tasks(backup.restore, name="before").endswith("(snapshot before)\n")
    assert rows(settings)
    assert tasks(backup.forget, name="before") == "deleted snapshot before\n"


def test_what_is_behind_the_code_is_migrated_when_asked(clone: Clone, tasks: Tasks, kept: Snapshots) -> None:
    kept.take("before")
    (head,) = revisions.heads()
    later = write_migration(clone, "later", after=head)

    assert f"is at {head}, the code at later: migrate it: inv db.migrate\n" in tasks(backup.restore, name="before")
    assert "upgrade later" in tasks(backup.restore, name="before", migrate=True)
    kept.take("after")
    later.unlink()
    assert "this checkout does not have its revision" in tasks(backup.restore, name="after", migrate=True)


@pytest.mark.parametrize(("answer", "revision"), [("y", "later"), ("n", "head"), ("\x04", "head")])
def test_on_a_terminal_it_asks(
    clone: Clone,
    tasks: Tasks,
    settings: Configuration,
    kept: Snapshots,
    answer: str,
    revision: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = kept.take("before")
    write_migration(clone, "later", after=taken.revision)
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        os.write(ours, f"{answer}\n".encode())

        said = tasks(backup.restore, name="before")

    os.close(ours)
    assert "the code at later: migrate it? [y/n] " in said
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        assert revisions.at(database.query_function(connection)) == {taken.revision if revision == "head" else revision}
