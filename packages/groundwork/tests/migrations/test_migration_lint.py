"""`inv db.lint` on the project's migrations and on dangerous ones."""

import shutil
from pathlib import Path

import pytest

from groundwork.migrations import lint, revisions
from groundwork.system import paths
from groundwork.system.errors import Exit

HEAD = max(revisions.heads())
INDEX = 'op.create_index("ix_orders_status", "orders", ["status"])'


def test_the_projects_own_migrations_have_nothing_dangerous() -> None:
    assert lint.find() == []


def test_a_finding_has_its_file_its_line_and_a_remedy(versions: Path) -> None:
    write(versions, "later", f"    op.execute('SELECT 1')\n    {INDEX}")

    (finding,) = lint.find()

    assert str(finding) == (
        "alembic/versions/later.py:9: require-concurrent-index-creation: During normal index creation, table updates "
        "are blocked, but reads are still allowed. Use `concurrently` to avoid blocking writes."
    )


def test_an_operation_over_several_lines_is_found_at_its_first(versions: Path) -> None:
    write(
        versions,
        "later",
        '    op.alter_column(\n        "orders",\n        "user_id",\n        type_=sa.Integer(),\n    )',
    )

    assert [(finding.line, finding.rule) for finding in lint.find()] == [(8, "changing-column-type")]


@pytest.mark.parametrize("place", ["    # {comment}\n    {operation}", "    {operation}  # {comment}"])
def test_a_comment_beside_it_with_a_reason_lets_it_through(versions: Path, place: str) -> None:
    comment = "lint: require-concurrent-index-creation, the table has ten rows"
    write(versions, "later", place.format(comment=comment, operation=INDEX))

    assert lint.find() == []


def test_without_a_reason_it_does_not(versions: Path) -> None:
    write(versions, "later", f"    {INDEX}  # lint: require-concurrent-index-creation")

    assert [finding.message for finding in lint.find()] == [
        "add the reason why require-concurrent-index-creation is harmless here"
    ]


def test_one_for_nothing_is_a_finding_too(versions: Path) -> None:
    write(versions, "later", "    op.execute('SELECT 1')  # lint: ban-drop-column, nobody reads it")

    assert [finding.message for finding in lint.find()] == ["squawk finds no ban-drop-column here: remove the comment"]


def test_one_for_another_operation_lets_nothing_through(versions: Path) -> None:
    comment = "# lint: require-concurrent-index-creation, small"
    write(versions, "later", f"    op.execute('SELECT 1')  {comment}\n    {INDEX}")

    assert len(lint.find()) == 2


def test_in_a_block_of_its_own_an_index_is_built_concurrently(versions: Path) -> None:
    built = INDEX.replace(")", ", postgresql_concurrently=True, if_not_exists=True)")
    write(versions, "later", f"    with op.get_context().autocommit_block():\n        {built}")

    assert lint.find() == []


def test_two_heads_are_a_finding(versions: Path) -> None:
    write(versions, "one", "    pass")
    write(versions, "other", "    pass")

    assert [str(finding) for finding in lint.find()] == [
        "alembic/versions/other.py:1: one head: multiple heads: one, other: set the down_revision of one to the other, "
        "or: inv run 'alembic merge --message \"merge\" heads'"
    ]


def test_a_migration_that_reads_rows_is_one_line(versions: Path) -> None:
    write(versions, "later", "    op.get_bind().scalar(sa.text('SELECT 1'))")

    with pytest.raises(Exit, match=r"^alembic/versions/later.py:8: AttributeError: [^\n]*$"):
        lint.find()


def write(versions: Path, name: str, operations: str) -> None:
    (versions / f"{name}.py").write_text(
        f'"""Later."""\n\nimport sqlalchemy as sa\nfrom alembic import op\nrevision = "{name}"\n'
        f'down_revision = "{HEAD}"\ndef upgrade():\n{operations}\ndef downgrade():\n    pass\n'
    )


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the migrations in a copy of the project."""
    for name in ("alembic", "config"):
        shutil.copytree(paths.ROOT / name, tmp_path / name)
    for name in ("alembic.ini", ".squawk.toml"):
        shutil.copy(paths.ROOT / name, tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "CONFIG", tmp_path / "config")
    monkeypatch.setattr(revisions, "FOLDER", tmp_path / "alembic" / "versions")
    return revisions.FOLDER
