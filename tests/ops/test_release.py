"""The last release and the migrations since then, whatever git's configuration says of its output."""

import subprocess
from pathlib import Path

import pytest
from invoke.exceptions import Exit

from ops import git, migrations, project, release

CONFIGURATIONS = [
    {"grep.lineNumber": "true", "grep.column": "true", "grep.fullName": "true", "grep.patternType": "fixed"},
    {"color.ui": "always", "color.grep": "always", "color.branch": "always"},
    {"core.quotePath": "true", "core.abbrev": "40", "log.showSignature": "true", "log.decorate": "full"},
    {"diff.external": "false", "diff.noprefix": "true", "core.pager": "false", "column.ui": "always"},
    {"tag.sort": "-version:refname", "versionsort.suffix": "-rc", "log.date": "relative"},
]


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda each: next(iter(each)))
def test_the_users_git_configuration_hides_no_migration(repository: Path, configuration: dict[str, str]) -> None:
    run("tag", "v1", at=repository)
    write("second", after="first", at=repository)
    for name, value in configuration.items():
        run("config", name, value, at=repository)

    found = release.last()

    assert found is not None
    assert found.name == "v1"
    assert [each.name for each in release.migrations_since(found)] == ["second"]
    assert git.branch() == "main"


def test_in_a_folder_of_a_larger_repository_it_is_the_same(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "larger").mkdir()
    inner = (repository).rename(tmp_path / "larger" / "inner")
    (inner / ".git").rename(tmp_path / "larger" / ".git")
    run("add", "--all", at=tmp_path / "larger")
    run("commit", "--quiet", "--message", "Moved", at=tmp_path / "larger")
    run("tag", "v1", at=inner)
    monkeypatch.setattr(project, "ROOT", inner)
    monkeypatch.setattr(migrations, "FOLDER", inner / "alembic" / "versions")
    write("second", after="first", at=inner)

    found = release.last()

    assert found is not None
    assert [each.name for each in release.migrations_since(found)] == ["second"]


def test_without_a_repository_a_release_is_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "ROOT", tmp_path)

    with pytest.raises(
        Exit, match=r"^git cannot be asked for the last release: fatal: not a git repository"
    ) as refused:
        release.last()

    assert refused.value.code == 1
    assert (release.version(), release.commit(), git.branch()) == ("unknown", "unknown", "")


def test_without_git_it_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    monkeypatch.setattr("sys.executable", str(repository / "python"))

    with pytest.raises(Exit, match=r"^git cannot be asked for the last release: git is not installed$"):
        release.last()


def test_a_shallow_clone_may_lack_the_tag_and_says_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run("tag", "v1", at=repository)
    run("commit", "--quiet", "--allow-empty", "--message", "Later", at=repository)
    run("clone", "--quiet", "--depth", "1", f"file://{repository}", str(tmp_path / "shallow"), at=tmp_path)
    monkeypatch.setattr(project, "ROOT", tmp_path / "shallow")

    with pytest.raises(Exit, match=r"^the last release is unknown: .* shallow .*: git fetch --unshallow --tags$"):
        release.last()


def test_a_release_whose_migrations_cannot_be_read_is_refused(repository: Path) -> None:
    (repository / "alembic" / "versions" / "first.py").write_text("nothing = 1\n")
    run("commit", "--quiet", "--all", "--message", "Unreadable", at=repository)

    with pytest.raises(Exit, match=r"^HEAD \(\w{7}\): no file in alembic/versions has a revision$"):
        release.migrations_since(release.find("HEAD"))


def run(*arguments: str, at: Path) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=at, check=True)


def write(name: str, *, after: str, at: Path) -> None:
    down = repr(after) if after else None
    folder = at / "alembic" / "versions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(f'revision = "{name}"\ndown_revision = {down}\n')


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one migration."""
    place = tmp_path / "checkout"
    write("first", after="", at=place)
    run("init", "--quiet", at=place)
    run("add", "--all", at=place)
    run("commit", "--quiet", "--message", "Begin", at=place)
    monkeypatch.setattr(project, "ROOT", place)
    monkeypatch.setattr(migrations, "FOLDER", place / "alembic" / "versions")
    return place
