"""Killed, interrupted and concurrent snapshots and restores, and a full disk."""

import re
import subprocess
import sys
import threading

import pytest

from groundwork.backups import snapshots
from groundwork.backups.snapshots import Snapshots
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import cluster
from groundwork.postgresql.cluster import Cluster
from groundwork.system import shell
from packages.groundwork.tests.backups.conftest import change, databases, restore, rows
from packages.groundwork.tests.conftest import Clone, on_small_disk, wait_until

pytestmark = pytest.mark.scenario("low_stock")


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
