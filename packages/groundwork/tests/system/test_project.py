"""Project name of a checkout, which marks its resources in the engine."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from groundwork.system import paths
from groundwork.system.errors import Exit
from packages.groundwork.tests import path


def test_the_first_name_is_made_from_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_checkout(tmp_path / "first")

    name = name_of(folder, monkeypatch)

    assert name == f"{paths.NAME}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def test_a_move_keeps_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_checkout(tmp_path / "first")
    name = name_of(folder, monkeypatch)

    moved = folder.rename(tmp_path / "moved\nänd renamed")
    again = moved.rename(tmp_path / "and again") if name_of(moved, monkeypatch) == name else moved

    assert name_of(again, monkeypatch) == name


def test_a_copy_gets_another_name_and_keeps_it_when_the_first_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkout(tmp_path / "first")
    name = name_of(folder, monkeypatch)
    copies = [Path(shutil.copytree(folder, tmp_path / copy)) for copy in ("copy", "other")]

    names = {name_of(each, monkeypatch) for each in copies}

    assert name_of(folder, monkeypatch) == name
    assert len(names - {name}) == 2
    shutil.rmtree(folder)
    assert {name_of(each, monkeypatch) for each in copies} == names


def test_two_paths_to_one_checkout_are_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_checkout(tmp_path / "first")
    name = name_of(folder, monkeypatch)
    (tmp_path / "linked").symlink_to(folder)  # as a bind mount makes two real paths

    assert name_of(tmp_path / "linked", monkeypatch) == name


def test_a_new_checkout_does_not_take_the_containers_of_one_that_was_moved_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkout(tmp_path / "first")
    name = name_of(folder, monkeypatch)
    moved = folder.rename(tmp_path / "moved")
    new = make_checkout(tmp_path / "first")
    engine = path.make(tmp_path / "path", docker=f"echo '{name}-production {moved}/compose'")
    monkeypatch.setenv("PATH", engine)

    with pytest.raises(Exit, match=f"{name}-production belongs to the checkout in {moved}") as refused:
        name_of(new, monkeypatch)

    remedy = re.search(r"echo (\S+) > .local/checkout", str(refused.value.message))
    assert remedy
    (new / ".local").mkdir()
    (new / ".local" / "checkout").write_text(f"{remedy[1]}\n")
    assert name_of(new, monkeypatch) == remedy[1]
    assert name_of(moved, monkeypatch) == name


def test_asking_for_the_name_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_checkout(tmp_path / "first")
    enter(folder, monkeypatch)

    name = paths.compose_project()

    assert list(folder.iterdir()) == []
    assert name == name_of(folder, monkeypatch)


@pytest.mark.parametrize("content", ["", "\n", "not a name\n/elsewhere\n", "-rm\n", "\0\n"])
def test_a_file_that_holds_no_name_counts_as_none(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkout(tmp_path / "first")
    name = name_of(folder, monkeypatch)

    (folder / ".local" / paths.CLAIM).write_text(content)

    assert name_of(folder, monkeypatch) == name


def make_checkout(folder: Path) -> Path:
    folder.mkdir()
    return folder


def name_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name under which a task starts a container in the folder."""
    enter(folder, monkeypatch)
    paths.claim()
    return paths.compose_project()


def enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ROOT", folder)
    monkeypatch.setattr(paths, "LOCAL", folder / ".local")
