"""Formatting of tables."""

import pytest

from groundwork.system import table


def test_columns_are_as_wide_as_what_is_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    table.show([("NAME", "SIZE", "STORY"), ("orders", "10,000", ""), ("a", "2", "Short.")], right={1})

    assert capsys.readouterr().out.splitlines() == ["NAME      SIZE  STORY", "orders  10,000", "a            2  Short."]
