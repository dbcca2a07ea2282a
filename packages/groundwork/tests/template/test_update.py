"""`copier copy` and `copier update` as they are typed, and what they refuse."""

import shutil
from pathlib import Path

from groundwork.system import paths
from packages.groundwork.tests.template.conftest import Copier, Copy, commit, conflicts, files, output

TOOL = "packages/groundwork/src/groundwork/system/table.py"


def test_an_update_brings_newer_tools_and_keeps_what_the_team_has_changed(
    clone: Path, made: Copy, copier: Copier, tmp_path: Path
) -> None:
    """Change the tools and a file of the shop here, and other lines of the same files there."""
    edit(clone / TOOL, '"""', '"""Newer. ')
    (clone / TOOL).with_name("added.py").write_text('"""A new module."""\n')
    edit(clone / "app" / "accounts" / "users.py", "def find(", "# Newer.\ndef find(")
    edit(clone / ".github" / "workflows" / "image.yml", "name:", "# Newer.\nname:")
    commit(clone)
    output("git", "push", "--quiet", "origin", "HEAD:newer", at=clone)
    mine = shutil.copytree(made(name="corner-shop"), tmp_path / "mine", symlinks=True)
    edit(mine / "app" / "accounts" / "users.py", "def register(", "# Mine.\ndef register(")
    edit(mine / "app" / "items" / "models.py", "class Item", "# Mine.\nclass Item")
    edit(mine / "compose" / "development.yml", "services:\n", "services:\n  mail:\n    image: mailhog\n")
    edit(mine / "tasks.py", "namespace = Collection(", "# Mine.\nnamespace = Collection(")
    (mine / "app" / "colours.py").write_text("GROUND = 'green'\n")
    (mine / ".squawk.toml").unlink()
    commit(mine)

    updated = copier("update", "--vcs-ref", "newer", at=mine)

    assert updated.returncode == 0, updated.stderr
    assert conflicts(mine) == []
    assert "Newer. " in (mine / TOOL).read_text()
    assert (mine / TOOL).with_name("added.py").exists()
    users = (mine / "app" / "accounts" / "users.py").read_text()
    assert "# Mine.\ndef register(" in users
    assert "# Newer.\ndef find(" in users
    assert "# Mine." in (mine / "app" / "items" / "models.py").read_text()
    assert "  mail:\n" in (mine / "compose" / "development.yml").read_text()
    assert "# Mine." in (mine / "tasks.py").read_text()
    assert (mine / "app" / "colours.py").read_text() == "GROUND = 'green'\n"
    assert "# Newer." in (mine / ".github" / "workflows" / "image.yml").read_text()
    assert not (mine / ".squawk.toml").exists()


def test_a_project_in_a_folder_of_a_repository_that_was_copied_from_a_relative_path_can_be_updated(
    clone: Path, copier: Copier, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    output("git", "init", "--quiet", str(repository), at=tmp_path)
    copied = copier("copy", "--data", "name=corner-shop", "clean", "repository/corner-shop", at=tmp_path)
    assert copied.returncode == 0, copied.stderr
    commit(repository)
    (clone / "template" / "later.txt.jinja").write_text("{{ name }}\n")
    commit(clone)

    updated = copier("update", at=repository / "corner-shop")

    assert updated.returncode == 0, updated.stderr
    assert not (repository / "corner-shop" / ".git").exists()
    assert (repository / "corner-shop" / "later.txt").read_text() == "corner-shop\n"


def test_a_copy_of_what_is_not_committed_is_refused(clone: Path, copier: Copier, tmp_path: Path) -> None:
    (clone / "template" / "later.txt").write_text("later\n")

    refused = copier("copy", "--data", "name=corner-shop", "clean", "mine", at=tmp_path)

    assert refused.returncode != 0
    assert "changes that are not committed, so that no update could find it; commit or stash them" in refused.stderr
    assert not (tmp_path / "mine").exists()


def test_a_name_that_cannot_be_one_is_refused(clone: Path, copier: Copier, tmp_path: Path) -> None:
    for name, reason in {
        "Corner Shop": "should be 2 to 19 lower-case letters, digits and single hyphens, a letter first",
        "postgres": "postgres is a database of every server",
        "flask": "flask is a package that the project depends on",
    }.items():
        refused = copier("copy", "--data", f"name={name}", "clean", "mine", at=tmp_path)

        assert refused.returncode != 0
        assert reason in refused.stderr
        assert not (tmp_path / "mine").exists()


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")
