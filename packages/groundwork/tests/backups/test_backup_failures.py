"""Failing backups and restores: damaged files, killed processes, full disks. Each leaves the database unchanged."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from groundwork.backups import dump_tools, dumps
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql.database import Database as Found
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.system.paths import NAME
from groundwork.testing.service import Database
from packages.groundwork.tests.backups.conftest import content, drafts
from packages.groundwork.tests.conftest import Clone, on_small_disk

pytestmark = pytest.mark.scenario("low_stock")


def truncate(folder: Path) -> None:
    part = next(folder.glob("dump/*.dat*"))
    part.write_bytes(part.read_bytes()[:-1])


def alter(folder: Path) -> None:
    toc = folder / "dump" / "toc.dat"
    toc.write_bytes(toc.read_bytes().replace(b"order_lines", b"order_lanes"))


def lose(folder: Path) -> None:
    next(folder.glob("dump/*.dat*")).unlink()


def forget_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def break_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"database": "x"}')


def rewrite(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    change(document)
    (folder / "manifest.json").write_text(json.dumps(document))


def come_from_a_newer_server(folder: Path) -> None:
    rewrite(folder, lambda document: document.update(server=99))


def count_otherwise(folder: Path) -> None:
    contents = {"revision": "other", "rows": {"public.users": 0}}
    rewrite(folder, lambda document: document.update(contents=contents))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (truncate, r"dump/\d+\.dat.*: has changed since the backup\nthis backup is damaged: nothing was restored$"),
        (alter, r"dump/toc\.dat: has changed since the backup\n.* nothing was restored"),
        (lose, r"dump/\d+\.dat.*: is missing\n.* nothing was restored"),
        (forget_the_manifest, r"backup is no backup: .*manifest\.json: No such file or directory$"),
        (break_the_manifest, r"backup is no backup: .*manifest\.json is no manifest of inv db\.backup$"),
        (come_from_a_newer_server, r"the backup is of PostgreSQL 99, and the server is 18: nothing was restored$"),
        (
            count_otherwise,
            r"public\.users: should have 0 rows, got [1-9](.|\n)*the revision should be other, got \w+\n",
        ),
    ],
)
def test_what_is_damaged_or_foreign_is_refused_and_nothing_touched(
    found: Found, tmp_path: Path, damage: Callable[[Path], None], complaint: str
) -> None:
    before = content(found.configuration)
    folder = tmp_path / "backup"
    dumps.create(found, folder)

    damage(folder)

    with pytest.raises(Exit, match=complaint):
        dumps.restore(found, dumps.read(folder), folder)
    assert content(found.configuration) == before
    assert drafts(found.configuration) == []


@pytest.mark.parametrize("work", ["create", "restore"])
def test_one_that_is_killed_changes_nothing_and_the_next_one_works(found: Found, tmp_path: Path, work: str) -> None:
    before, folder = content(found.configuration), tmp_path / "backup"
    if work == "restore":
        dumps.create(found, folder)

    kill(found.configuration, work, folder)

    assert content(found.configuration) == before
    if work == "create":
        assert not folder.exists()
        dumps.create(found, folder)
    dumps.restore(found, dumps.read(folder), folder)
    assert content(found.configuration) == before
    assert drafts(found.configuration) == []
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_a_dump_that_fails_is_one_line_and_leaves_no_folder(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump_tools, "dump_options", lambda *_: ["--file", "/nowhere/at/all", "--format", "directory"])

    with pytest.raises(Exit, match=r"^pg_dump: error: [^\n]+$"):
        dumps.create(found, tmp_path / "backup")

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_half_backup_and_the_next_one_is_whole(clone: Clone) -> None:
    small = on_small_disk(clone.folder / ".local" / "backups", "2m")
    script = """
        inv() { "$0" -m invoke "$@"; }
        inv db.migrate
        echo "CREATE TABLE large AS SELECT n, md5(n::text) FROM generate_series(1, 200000) n" | inv db.shell
        inv db.backup
        echo "left: $(ls -A .local/backups)."
        echo "DROP TABLE large" | inv db.shell
        inv db.backup && inv db.restore-backup --folder .local/backups/*
    """

    ran = subprocess.run(
        [*small, "sh", "-c", script, sys.executable],
        cwd=clone.folder, env=clone.environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^pg_dump: error: .*No space left on device$", ran.stderr, re.MULTILINE), ran
    assert "left: .\n" in ran.stdout
    assert f"restored {NAME} from the backup of {NAME} at " in ran.stdout


def test_a_place_that_cannot_be_written_to_is_one_line(found: Found, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Exit, match=r"^no backup was made: .*/file: File exists$"):
        dumps.create(found, tmp_path / "file" / "backup")


@pytest.mark.scenario("empty_shop")
def test_a_database_without_a_table_is_no_backup(empty_database: Database, tmp_path: Path) -> None:
    settings = loader.load("testing", environ=empty_database.environment)

    with pytest.raises(Exit, match="has no table: there is nothing to back up"):
        dumps.create(Found(settings, ""), tmp_path / "backup")


def kill(settings: Configuration, work: str, folder: Path) -> None:
    """Run a backup or restore that is killed just before the final rename."""
    code = f"""
import os, signal
from pathlib import Path
from groundwork.backups import dumps
from groundwork.configuration import loader
from groundwork.postgresql.cluster import Cluster
from groundwork.postgresql.database import Database
Path.rename = Cluster.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
found, folder = Database(loader.load("testing"), ""), Path({str(folder)!r})
dumps.create(found, folder) if {work!r} == "create" else dumps.restore(found, dumps.read(folder), folder)
"""
    command = [sys.executable, "-c", code]
    killed = subprocess.run(command, env=shell.environment(settings.environment), check=False, timeout=60)
    assert killed.returncode == -9
