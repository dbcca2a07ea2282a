"""Catalog of the scenarios in scenarios/, and names and sizes that are refused."""

import pytest
from invoke.context import Context

from groundwork.scenarios import catalog, workspace
from groundwork.system.errors import Exit
from groundwork.tasks import scenario


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            {"name": "startre"},
            r"there is no scenario 'startre': scenarios/ has .*starter.*; did you mean starter\?",
        ),
        ({"name": "../x"}, r"there is no scenario '\.\./x': scenarios/ has empty_shop, .*"),
        ({"name": "orders", "size": "-1"}, "--size: should be at least 1, got -1"),
        ({"name": "orders", "size": "many"}, "--size: should be a whole number, got 'many'"),
        ({"name": "low_stock", "size": "9"}, "--size: the size of low_stock is fixed: leave the option out"),
    ],
)
def test_what_cannot_be_is_one_line_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str], complaint: str
) -> None:
    monkeypatch.setattr(workspace, "exclusive", lambda _: pytest.fail("it starts a server"))

    with pytest.raises(Exit, match=f"^{complaint}$") as refused:
        scenario.up(Context(), **arguments)

    assert refused.value.code == 1


def test_the_files_tell_what_there_is() -> None:
    known = {story.name: story for story in catalog.load_all()}

    assert {"orders", "low_stock", "empty_shop", "wholesale", "starter"} <= set(known)
    assert known["orders"].size == 10_000
    assert known["low_stock"].size is None
    assert all(story.summary.endswith(".") and len(story.summary) < 120 for story in known.values())
