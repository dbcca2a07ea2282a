"""Backups on a real server: a restore is exact, and old backups are deleted."""

from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.backups import dump_tools, dumps
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql.database import Database as Found
from groundwork.system.errors import Exit
from groundwork.tasks.db import backup
from packages.groundwork.tests.backups.conftest import change, content, drafts
from packages.groundwork.tests.conftest import Clone, write_migration

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
