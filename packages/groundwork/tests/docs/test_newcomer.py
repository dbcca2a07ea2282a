"""Detection of wrong pages by the simulated reader."""

from collections.abc import Iterator

import pytest

from packages.groundwork.tests.conftest import make_clone
from packages.groundwork.tests.docs import blocks, newcomer
from packages.groundwork.tests.docs.newcomer import Newcomer


@pytest.mark.parametrize(
    "text",
    [
        "$ echo one; echo two\none\ntwo",
        "$ echo one; echo two; echo three\none\n…\nthree",
        "$ date --iso-8601=seconds --utc\n2026-11-22T20:15:03+00:00",
        '$ echo \'{"a": 1, "b": 2}\'\n{"a": 1,\n "b": 2}',
        "$ NAME=you\n$ echo $NAME\nyou",
        "$ echo no such order; false\nno such order",
        "$ for number in 1 2; do\n    echo $number\n  done\n1\n2",
    ],
)
def test_what_is_as_shown_is_right(somebody: Newcomer, text: str) -> None:
    assert _differences(somebody, text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$ echo one\ntwo", "the page shows\ntwo\nbut it says\none\n"),
        ("$ echo one; echo two\none", "but it says\none\ntwo\n"),
        ("$ false", "exits with 1"),
        ("$ echo something; false\n…", "exits with 1"),
        ("$ echo 'not closed", "unexpected EOF"),
    ],
)
def test_what_is_not_is_a_difference(somebody: Newcomer, text: str, said: str) -> None:
    (difference,) = _differences(somebody, text)

    assert said in difference


def _differences(somebody: Newcomer, text: str) -> list[str]:
    page = somebody.folder / "page.md"
    page.write_text(f"```console\n{text}\n```\n", "utf-8")
    return [difference for block in blocks.of(page) for difference in somebody.follow(block)]


@pytest.fixture(scope="module")
def somebody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    with newcomer.arrived(make_clone(tmp_path_factory.mktemp("checkout"))) as somebody:
        yield somebody
