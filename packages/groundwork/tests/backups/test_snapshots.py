"""Snapshots on a real server: content, restores, and the state after failures."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from invoke.context import Context
from invoke.tasks import Task

from groundwork.backups import snapshots
from groundwork.backups.snapshots import Snapshot, Snapshots
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import cluster, database
from groundwork.postgresql.cluster import Cluster
from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from groundwork.tasks.db import backup
from groundwork.testing.service import Database
from packages.groundwork.tests.conftest import Clone, on_small_disk, wait_until, write_migration

Tasks = Callable[..., str]
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


@pytest.mark.parametrize("step", ["copy", "make_template"])
def test_a_snapshot_that_is_killed_is_not_there_and_the_next_one_is(
    settings: Configuration, kept: Snapshots, step: str
) -> None:
    kill(settings, step, "take('killed')")

    assert kept.list_all() == []
    assert rows(settings)
    kept.take("next")
    assert databases(settings) == ["", "@next"]


@pytest.mark.parametrize("step", ["copy", "replace", "drop"])
def test_a_restore_that_is_killed_changes_nothing_and_the_next_one_restores(
    settings: Configuration, kept: Snapshots, step: str
) -> None:
    taken = kept.take("before")
    before = rows(settings)
    change(settings)

    kill(settings, step, f"restore({taken!r})")

    assert not rows(settings)
    restore(settings, taken)
    assert rows(settings) == before
    assert databases(settings) == ["", "@before"]


def test_a_restore_that_is_killed_once_it_has_swapped_has_restored(settings: Configuration, kept: Snapshots) -> None:
    taken = kept.take("before")
    before = rows(settings)
    change(settings)

    kill(settings, "drop", f"restore({taken!r})", calls=2)  # the first is of what earlier tasks left

    assert rows(settings) == before
    assert databases(settings) == ["", "@before", "~replaced"]
    restore(settings, taken)
    assert databases(settings) == ["", "@before"]


def test_an_interrupted_restore_leaves_no_draft(
    settings: Configuration, kept: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    taken = kept.take("before")
    change(settings)
    monkeypatch.setattr(Cluster, "replace", interrupt)

    with pytest.raises(KeyboardInterrupt):
        kept.restore(taken)

    assert not rows(settings)
    assert databases(settings) == ["", "@before"]


def test_of_two_tasks_one_waits_for_the_other(
    settings: Configuration, kept: Snapshots, capfd: pytest.CaptureFixture[str]
) -> None:
    def take() -> None:
        with snapshots.connect(settings) as others:
            others.take("second")

    with cluster.connect(settings) as first, first.draft(settings["APPLICATION_DB"]):
        second = threading.Thread(target=take)
        second.start()
        wait_until(lambda: "waiting for another task" in capfd.readouterr().err)
        assert kept.list_all() == []
    second.join(60)

    assert [each.name for each in kept.list_all()] == ["second"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("../x", r"--name: should consist of letters, digits, .* got '\.\./x'"),
        ("", r"--name: should consist of letters, digits, .* got ''"),
        ("x" * 60, r"--name: should have at most \d+ characters, got 60"),
        ("taken", r"the snapshot 'taken' exists: choose another name, or run inv db\.forget --name taken"),
    ],
)
def test_a_name_that_cannot_be_is_refused(kept: Snapshots, name: str, complaint: str) -> None:
    kept.take("taken")

    with pytest.raises(Exit, match=f"^{complaint}$"):
        kept.take(name)

    assert len(kept.list_all()) == 1


def test_without_a_name_it_has_the_branchs(kept: Snapshots, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert kept.take().name == "snapshot"
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "ana/more_colours"], cwd=tmp_path, check=True)

    assert [kept.take().name for _ in range(2)] == ["ana-more-colours", "ana-more-colours-2"]


def test_one_that_is_not_there_is_named_with_those_that_are(kept: Snapshots) -> None:
    with pytest.raises(Exit, match=r"there is no snapshot 'x', nor any other: create one with inv db\.snapshot"):
        kept.find("x")
    kept.take("before")

    with pytest.raises(Exit, match=r"there is no snapshot 'befroe': use one of before; did you mean before\?"):
        kept.find("befroe")


def test_the_newest_of_the_branch_is_found_without_a_name(
    kept: Snapshots, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=tmp_path, check=True)
    with pytest.raises(Exit, match=r"^there is no snapshot of the branch main: create one with inv db\.snapshot$"):
        kept.newest()
    for name in ("zebra", None, "aardvark"):
        kept.take(name)
    assert kept.newest().name == "aardvark"
    kept.delete(kept.newest())
    assert kept.newest().name == "main"
    subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/other"], cwd=tmp_path, check=True)

    with pytest.raises(Exit, match=r"^there is no snapshot of the branch other: set --name to one of main, zebra$"):
        kept.newest()


def test_a_database_whose_draft_would_have_a_name_too_long_is_left_alone() -> None:
    """PostgreSQL would truncate the draft's name to the database's own name, and drafts are dropped first."""
    with pytest.raises(Exit, match="a database name has at most 63 bytes"):
        cluster.derived_name("x" * 63, cluster.DRAFT)


def test_the_maintenance_database_is_not_copied(settings: Configuration) -> None:
    """A copy would disconnect all clients, including the task itself."""
    same = settings.with_values("the test", APPLICATION_DB=settings["POSTGRES_DB"])

    with snapshots.connect(same) as kept, pytest.raises(Exit, match="is also the maintenance database"):
        kept.take()


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


def test_a_full_disk_leaves_the_database_and_no_snapshot(clone: Clone) -> None:
    small = on_small_disk(clone.folder / ".local" / "postgres", "135m")
    script = """
        inv() { "$0" -m invoke "$@"; }
        inv db.migrate
        rows="SELECT repeat(md5(n::text), 30) FROM generate_series(1, 55000) n"
        echo "CREATE UNLOGGED TABLE large AS $rows" | inv db.shell
        inv db.snapshot --name full
        inv db.snapshots
        echo "DROP TABLE large" | inv db.shell
        inv db.snapshot --name room
    """

    ran = subprocess.run(
        [*small, "sh", "-c", script, sys.executable],
        cwd=clone.folder,
        env=clone.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^PostgreSQL failed: could not .*No space left on device$", ran.stderr, re.MULTILINE), ran
    assert "there are no snapshots" in ran.stdout
    assert "took snapshot room" in ran.stdout


def rows(settings: Configuration) -> list[tuple[object, ...]]:
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        return connection.execute("SELECT * FROM order_lines ORDER BY 1, 2").fetchall()


def change(settings: Configuration) -> None:
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        connection.execute("DELETE FROM order_lines")


def restore(settings: Configuration, taken: Snapshot) -> None:
    """Restore a snapshot as a task does. The replaced database is dropped at the end."""
    with snapshots.connect(settings) as kept:
        kept.restore(taken)


def databases(settings: Configuration) -> list[str]:
    """Return the name suffixes of the database, its snapshots and leftovers of tasks."""
    name = settings["APPLICATION_DB"]
    with database.connect(settings) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        return sorted(str(row[0]).removeprefix(name) for row in found)


def kill(settings: Configuration, step: str, work: str, calls: int = 1) -> None:
    """Run `work` in a process that is killed at its `calls`-th call of the step."""
    code = f"""
import os, signal
from groundwork.backups import snapshots
from groundwork.backups.snapshots import Snapshot
from groundwork.configuration import loader
from groundwork.postgresql.cluster import Cluster
usual, calls = Cluster.{step}, []
def step(*arguments):
    calls.append(arguments)
    if len(calls) == {calls}:
        os.kill(os.getpid(), signal.SIGKILL)
    usual(*arguments)
Cluster.{step} = step
with snapshots.connect(loader.load("testing")) as kept:
    kept.{work}
"""
    command = [sys.executable, "-c", code]
    killed = subprocess.run(command, env=shell.environment(settings.environment), check=False, timeout=60)
    assert killed.returncode == -9


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


@pytest.fixture
def settings(database: Database) -> Configuration:
    return loader.load("testing", environ=database.environment)


@pytest.fixture
def kept(settings: Configuration) -> Iterator[Snapshots]:
    """Yield the snapshots of the test's database. Delete them afterwards."""
    with snapshots.connect(settings) as kept:
        yield kept
    with snapshots.connect(settings) as kept:
        for each in kept.list_all():
            kept.delete(each)


@pytest.fixture
def tasks(
    clone: Clone, settings: Configuration, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Tasks:
    """Return a function that calls a task in the clone and returns its output."""
    clone.environment.update(settings.environment, APPLICATION_CONFIG="testing")
    clone.enter(monkeypatch)

    def call(task: Task[Any], **options: object) -> str:
        capfd.readouterr()
        task(Context(), **options)
        said = capfd.readouterr()
        return said.err + said.out

    return call
