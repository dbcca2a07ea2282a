"""Names of snapshots: invalid ones, those of the git branch, and unknown ones."""

import subprocess
from pathlib import Path

import pytest

from groundwork.backups.snapshots import Snapshots
from groundwork.system import paths
from groundwork.system.errors import Exit

pytestmark = pytest.mark.scenario("low_stock")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("../x", r"--name: should consist of letters, digits, .* got '\.\./x'"),
        ("", r"--name: should consist of letters, digits, .* got ''"),
        ("x" * 60, r"--name: should have at most \d+ characters, got 60"),
        ("taken", r"the snapshot 'taken' exists: choose another name, or run inv db\.forget --name taken"),
    ],
)
def test_a_name_that_cannot_be_is_refused(kept: Snapshots, name: str, complaint: str) -> None:
    kept.take("taken")

    with pytest.raises(Exit, match=f"^{complaint}$"):
        kept.take(name)

    assert len(kept.list_all()) == 1


def test_without_a_name_it_has_the_branchs(kept: Snapshots, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert kept.take().name == "snapshot"
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "ana/more_colours"], cwd=tmp_path, check=True)

    assert [kept.take().name for _ in range(2)] == ["ana-more-colours", "ana-more-colours-2"]


def test_one_that_is_not_there_is_named_with_those_that_are(kept: Snapshots) -> None:
    with pytest.raises(Exit, match=r"there is no snapshot 'x', nor any other: create one with inv db\.snapshot"):
        kept.find("x")
    kept.take("before")

    with pytest.raises(Exit, match=r"there is no snapshot 'befroe': use one of before; did you mean before\?"):
        kept.find("befroe")


def test_the_newest_of_the_branch_is_found_without_a_name(
    kept: Snapshots, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=tmp_path, check=True)
    with pytest.raises(Exit, match=r"^there is no snapshot of the branch main: create one with inv db\.snapshot$"):
        kept.newest()
    for name in ("zebra", None, "aardvark"):
        kept.take(name)
    assert kept.newest().name == "aardvark"
    kept.delete(kept.newest())
    assert kept.newest().name == "main"
    subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/other"], cwd=tmp_path, check=True)

    with pytest.raises(Exit, match=r"^there is no snapshot of the branch other: set --name to one of main, zebra$"):
        kept.newest()
