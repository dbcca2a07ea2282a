"""Hint about migrations after a checkout, as an optional git hook."""

import subprocess
from pathlib import Path

import pytest

from groundwork.system import paths

HINT = "this branch has other migrations: inv db.status"


def test_a_branch_with_other_migrations_is_said_and_no_other(repository: Path) -> None:
    (repository / ".git" / "hooks" / "post-checkout").symlink_to(paths.ROOT / ".githooks" / "post-checkout")

    assert HINT in git(repository, "checkout", "main")
    assert HINT in git(repository, "checkout", "colours")
    assert HINT not in git(repository, "checkout", "-b", "likewise")
    assert HINT not in git(repository, "checkout", "main", "--", "alembic")


def test_it_is_off_by_itself(repository: Path) -> None:
    assert HINT not in git(repository, "checkout", "main")


def git(repository: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stderr


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository on a branch with one migration more than main."""
    versions = tmp_path / "alembic" / "versions"
    versions.mkdir(parents=True)
    git(tmp_path, "init", "--initial-branch", "main")
    for branch, migration in (("main", "first.py"), ("colours", "second.py")):
        git(tmp_path, "checkout", "-B", branch)
        (versions / migration).write_text("")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--message", migration)
    return tmp_path
