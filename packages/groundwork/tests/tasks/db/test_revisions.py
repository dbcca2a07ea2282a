"""Revisions in alembic/versions: unreadable files, missing parents, several heads, and merges."""

import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from invoke.context import Context

from groundwork.configuration import loader
from groundwork.migrations import compatibility, revisions
from groundwork.system.errors import Exit
from groundwork.tasks.db import migrations as db
from groundwork.testing.service import Database as OwnDatabase
from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.tasks.db.conftest import FIRST, HEAD


@pytest.mark.parametrize(
    ("at", "why"),
    [(set(), "no migration is applied"), ({"nobody's"}, "is at nobody's, which is not in alembic/versions")],
)
def test_where_there_is_nothing_to_undo_that_is_said(at: set[str], why: str) -> None:
    with pytest.raises(Exit, match=why):
        revisions.require_applied(at, "-1")


def test_a_database_of_another_branch_is_said_with_the_remedy() -> None:
    with pytest.raises(Exit, match=r"inv db.downgrade in the branch that has it; in development, inv db.reset"):
        revisions.require_known({FIRST, "nobody's"})


def test_a_migration_from_alembics_own_template_is_read(versions: Path) -> None:
    (versions / "later.py").write_text(
        f'"""Later, with types.\n\nRevision ID: later\n"""\n\nrevision: str = "later"\n'
        f'down_revision: str | None = "{HEAD}"\nbranch_labels: str | None = None\n'
    )

    assert str(revisions.pending({HEAD})[0]) == "later  Later, with types."


def test_what_an_editor_leaves_is_no_migration(versions: Path, tmp_path: Path) -> None:
    known = revisions.load_all()
    (versions / ".#later.py").symlink_to("someone@laptop.4711:1")  # how Emacs locks later.py
    (versions / "later.py~").write_text("revision = ")
    (versions / ".later.py.swp").write_bytes(b"\0\xff")

    compatibility.replace_migrations(tmp_path / "released")

    assert revisions.load_all() == known


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        (b'revision = "later', "later.py:1", r"SyntaxError: unterminated string(?!.*later\.py)"),
        (b"\xff", "later.py:1", "SyntaxError: .*can't decode byte 0xff"),
        (b"# Later.\nimport nothing_like_it\n", "later.py:2", "ModuleNotFoundError: No module named"),
        (b'"""Later."""\n', "later.py", "CommandError: Could not determine revision id"),
        (b'revision = "later"\n', "later.py", "AttributeError: .*down_revision"),
        (b'revision = "later"\ndown_revision = 5\n', "later.py", "TypeError: .*int"),
        (b'revision = "later"\ndown_revision = "later"\n', "", "CommandError: Self-loop .*later"),
    ],
)
def test_a_migration_that_cannot_be_read_is_one_line(versions: Path, text: bytes, place: str, reason: str) -> None:
    (versions / "later.py").write_bytes(text)

    with pytest.raises(
        Exit, match=rf"^{re.escape(str(versions / place))}: {reason}[^\n]*: correct the file[^\n]*$"
    ) as no:
        revisions.load_all()

    assert no.value.code == 1


def test_a_migration_that_was_deleted_is_named_with_the_one_that_follows_it(versions: Path) -> None:
    write(versions, "middle", HEAD)
    write(versions, "last", "middle").write_text('"""On top of it."""\nrevision, down_revision = "last", "middle"\n')
    (versions / "middle.py").unlink()

    with pytest.raises(
        Exit,
        match=r"^[^\n]*: revision middle, the down_revision of last, is missing: [^\n]* git log [^\n]*\*middle\*'$",
    ):
        revisions.load_all()


def test_two_files_of_one_revision_are_one_line(versions: Path) -> None:
    write(versions, "later", HEAD)
    shutil.copy(versions / "later.py", versions / "copy_of_later.py")

    with pytest.raises(Exit, match=r"^[^\n]*: Revision later is present more than once: delete one[^\n]*$"):
        revisions.load_all()


@pytest.mark.parametrize("task", [db.migrate, db.status, db.check, partial(db.migrate, dry_run=True)])
def test_two_heads_are_named_with_the_command_that_merges_them(
    versions: Path, ran: list[object], task: Callable[[Context], None]
) -> None:
    write(versions, "one", HEAD)
    write(versions, "other", HEAD)

    with pytest.raises(
        Exit, match=r"""^[^\n]*: multiple heads: one, other: [^\n]* inv run 'alembic merge [^\n]* heads'$"""
    ):
        task(Context())

    assert ran == []


@pytest.mark.parametrize(
    ("at", "wanted", "remedy"),
    [
        ({"merge"}, "-1", "merge merges one, other, so .*: inv db.downgrade --revision one reverts only the merge"),
        ({"last"}, "-2", "merge merges one, other, so .*: inv db.downgrade --revision one reverts only the merge"),
        ({"last"}, "merge-1", "merge merges one, other, so .*: inv db.downgrade --revision one reverts only the merge"),
        (
            {"one", "other"},
            "-1",
            "the database is at one, other: name the one .*: inv db.downgrade --revision other@-1",
        ),
    ],
)
def test_steps_back_with_more_than_one_way_are_refused_with_the_command_that_has_one(
    versions: Path, at: set[str], wanted: str, remedy: str
) -> None:
    write_merge(versions)
    revisions.require_applied({"last"}, "-1")
    revisions.require_applied({"last"}, "merge")

    with pytest.raises(Exit, match=f"^{remedy}"):
        revisions.require_applied(at, wanted)


def test_a_merge_is_undone_by_the_command_that_is_named(
    clone: Clone, database: OwnDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.environment.update(database.environment, APPLICATION_CONFIG="testing")
    clone.enter(monkeypatch)
    write_merge(revisions.FOLDER)
    settings = loader.load()
    db.migrate(Context())

    db.downgrade(Context())
    db.downgrade(Context(), revision="one")
    assert revisions.current(settings) == {"one", "other"}
    db.downgrade(Context(), revision="other@-1")
    assert revisions.current(settings) == {"one"}
    db.migrate(Context())
    assert revisions.current(settings) == {"last"}


def write_merge(versions: Path) -> None:
    write(versions, "one", HEAD)
    write(versions, "other", HEAD)
    write(versions, "merge", ("one", "other"))
    write(versions, "last", "merge")


def write(versions: Path, name: str, after: str | tuple[str, ...]) -> Path:
    path = versions / f"{name}.py"
    path.write_text(f"revision, down_revision = {name!r}, {after!r}\n\ndef upgrade(): pass\n\ndef downgrade(): pass\n")
    return path


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the project's migrations, to which a test can add others."""
    shutil.copytree(revisions.FOLDER.parent, tmp_path / "alembic")
    monkeypatch.setattr(revisions, "FOLDER", tmp_path / "alembic" / "versions")
    return revisions.FOLDER
