"""`copier copy` and `copier update` as they are typed, and what they refuse."""

import shutil
from pathlib import Path

from tests.yours.conftest import Copier, Copy, commit, files, output
from tests.yours.test_copy import ONE_MODEL


def test_an_update_keeps_what_was_changed_here_and_brings_what_was_changed_there(
    source: Path, made: Copy, copier: Copier, tmp_path: Path
) -> None:
    """From the commit before this one, and something more, under another name: all answers can be changed."""
    output("git", "branch", "--force", "earlier", before(source), at=source)
    there = tmp_path / "there"
    output("git", "clone", "--quiet", "--shared", "--branch", "earlier", str(source), str(there), at=source)
    edit(there / "app" / "tokens.py", "def issue(", "# Groundwork's, then.\ndef issue(")
    edit(there / "docs" / "observability.md", "\n", "\nThen.\n")
    (there / "app" / "cursors.py").unlink()
    commit(there)
    output("git", "push", "--quiet", "origin", "earlier", at=there)
    now = output("git", "commit-tree", "HEAD^{tree}", "-p", "earlier", "-m", "Now", at=source).strip()
    output("git", "branch", "--force", "now", now, at=source)
    mine = shutil.copytree(made("earlier", **{**ONE_MODEL, "name": "corner-shop"}), tmp_path / "mine", symlinks=True)
    edit(mine / "app" / "tokens.py", "def forget(", "# Mine.\ndef forget(")
    (mine / "app" / "colours.py").write_text("GROUND = 'groundwork'\n")
    (mine / "docs" / "observability.md").unlink()
    commit(mine)

    updated = copier("update", "--vcs-ref", "now", "--data", f"name={ONE_MODEL['name']}", at=mine)

    assert updated.returncode == 0, updated.stderr
    fresh = made(**ONE_MODEL)
    assert conflicts(mine) == []
    assert (mine / "app" / "tokens.py").read_text() == (
        (fresh / "app" / "tokens.py").read_text().replace("def forget(", "# Mine.\ndef forget(")
    )
    assert (mine / "app" / "colours.py").read_text() == "GROUND = 'groundwork'\n"
    assert (mine / "app" / "cursors.py").read_text() == (fresh / "app" / "cursors.py").read_text()
    assert not (mine / "docs" / "observability.md").exists()
    # Where more is left behind than in the commit before, copier leaves it in projects that have it.
    if not output("git", "diff", "--name-only", "earlier", "HEAD", "--", "copier.yml", at=source):
        differing = {path for path in {*files(mine), *files(fresh)} if content(mine / path) != content(fresh / path)}
        assert differing == {".copier-answers.yml", "app/colours.py", "app/tokens.py", "docs/observability.md"}


def test_a_project_in_a_folder_of_a_repository_that_was_copied_from_a_relative_path_can_be_updated(
    small_source: Path, copier: Copier, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    output("git", "init", "--quiet", str(repository), at=tmp_path)
    copied = copier("copy", "--data", "name=corner-shop", "clean", "repository/corner-shop", at=tmp_path)
    assert copied.returncode == 0, copied.stderr
    commit(repository)
    (small_source / "later.py").write_text("SERVICE = 'groundwork'\n")
    commit(small_source)

    updated = copier("update", at=repository / "corner-shop")

    assert updated.returncode == 0, updated.stderr
    assert (repository / "corner-shop" / "later.py").read_text() == "SERVICE = 'corner-shop'\n"


def test_a_copy_of_what_is_not_committed_is_refused(small_source: Path, copier: Copier, tmp_path: Path) -> None:
    (small_source / "later.py").write_text("SERVICE = 'groundwork'\n")

    refused = copier("copy", "--data", "name=corner-shop", "clean", "mine", at=tmp_path)

    assert refused.returncode != 0
    assert "changes that are not committed, so that no update could find it; commit or stash them" in refused.stderr
    assert not (tmp_path / "mine").exists()


def test_a_name_that_cannot_be_one_is_refused(small_source: Path, copier: Copier, tmp_path: Path) -> None:
    refused = copier("copy", "--data", "name=Corner Shop", "clean", "mine", at=tmp_path)

    assert refused.returncode != 0
    assert "should be 2 to 19 lower-case letters, digits and single hyphens, a letter first" in refused.stderr
    assert not (tmp_path / "mine").exists()


def before(source: Path) -> str:
    """Return the commit before this one; this one, in a clone that has no other."""
    log = output("git", "log", "--first-parent", "--max-count=2", "--format=%H", at=source)
    return log.split()[-1]


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def conflicts(folder: Path) -> list[str]:
    return [path for path in files(folder) if b"\n<<<<<<< " in (content(folder / path) or b"")]


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")
