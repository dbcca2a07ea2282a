"""Last release and later migrations, independent of git's output settings."""

import subprocess
from pathlib import Path

import pytest

from groundwork.migrations import git_release, revisions
from groundwork.system import git, paths
from groundwork.system.errors import Exit

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

    found = git_release.last()

    assert found is not None
    assert found.name == "v1"
    assert [each.name for each in git_release.migrations_since(found)] == ["second"]
    assert git.branch() == "main"


@pytest.mark.parametrize(
    "text",
    [
        'revision: str = "first"\ndown_revision: Union[str, None] = None\n',
        "revision   :   str='first'  # as black would not write it\ndown_revision=None\n",
        'revision = (\n    "first"\n)\ndown_revision = None\n',
        'revision, down_revision = "first", None\n',
        'NAME = "first"\nrevision = NAME\ndown_revision = None\n',
        '"""Begin.\n\nrevision = "second"\n"""\n\nrevision = "first"\ndown_revision = None\n',
    ],
)
def test_a_migration_of_the_release_is_known_however_its_file_is_written(repository: Path, text: str) -> None:
    imports = "from typing import Union\n" if "Union" in text else ""
    (repository / "alembic" / "versions" / "first.py").write_text(imports + text)
    run("commit", "--quiet", "--all", "--message", "Written otherwise", at=repository)
    write("second", after="first", at=repository)

    new = git_release.migrations_since(git_release.find("HEAD"))

    assert [each.name for each in new] == ["second"]


def test_before_the_first_migration_all_are_new(repository: Path) -> None:
    run("rm", "--quiet", "-r", "--cached", "alembic", at=repository)
    run("commit", "--quiet", "--allow-empty", "--message", "Without", at=repository)

    new = git_release.migrations_since(git_release.find("HEAD"))

    assert [each.name for each in new] == ["first"]


def test_in_a_folder_of_a_larger_repository_it_is_the_same(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "larger").mkdir()
    inner = (repository).rename(tmp_path / "larger" / "inner")
    (inner / ".git").rename(tmp_path / "larger" / ".git")
    run("add", "--all", at=tmp_path / "larger")
    run("commit", "--quiet", "--message", "Moved", at=tmp_path / "larger")
    run("tag", "v1", at=inner)
    monkeypatch.setattr(paths, "ROOT", inner)
    monkeypatch.setattr(revisions, "FOLDER", inner / "alembic" / "versions")
    write("second", after="first", at=inner)

    found = git_release.last()

    assert found is not None
    assert [each.name for each in git_release.migrations_since(found)] == ["second"]


def test_without_a_repository_a_release_is_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)

    with pytest.raises(Exit, match=r"^cannot find the last release with git: fatal: not a git repository") as refused:
        git_release.last()

    assert refused.value.code == 1
    assert (git_release.version(), git_release.commit(), git.branch()) == ("unknown", "unknown", "")


def test_without_git_it_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    monkeypatch.setattr("sys.executable", str(repository / "python"))

    with pytest.raises(Exit, match=r"^cannot find the last release with git: git is not installed$"):
        git_release.last()


def test_a_shallow_clone_may_lack_the_tag_and_says_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run("tag", "v1", at=repository)
    run("commit", "--quiet", "--allow-empty", "--message", "Later", at=repository)
    run("clone", "--quiet", "--depth", "1", f"file://{repository}", str(tmp_path / "shallow"), at=tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "shallow")

    with pytest.raises(Exit, match=r"^the last release is unknown: .* shallow .*: git fetch --unshallow --tags$"):
        git_release.last()


def test_a_release_whose_migrations_cannot_be_read_is_refused(repository: Path) -> None:
    (repository / "alembic" / "versions" / "first.py").write_text("nothing = 1\n")
    run("commit", "--quiet", "--all", "--message", "Unreadable", at=repository)

    with pytest.raises(Exit, match=r"^HEAD \(\w{7}\): Alembic cannot read its alembic/versions: .* first\.py\. .*$"):
        git_release.migrations_since(git_release.find("HEAD"))


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
    """Return a checkout with one committed migration."""
    place = tmp_path / "checkout"
    write("first", after="", at=place)
    run("init", "--quiet", at=place)
    run("add", "--all", at=place)
    run("commit", "--quiet", "--message", "Begin", at=place)
    monkeypatch.setattr(paths, "ROOT", place)
    monkeypatch.setattr(revisions, "FOLDER", place / "alembic" / "versions")
    return place
