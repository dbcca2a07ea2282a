"""Cursors of pagination."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from groundwork.flask.http.pagination import PageKey


@pytest.mark.parametrize(
    "key",
    [
        PageKey(datetime(2026, 11, 2, 12, 30, 15, 123456, tzinfo=UTC), 1),
        PageKey(datetime(1969, 1, 1, tzinfo=timezone(timedelta(hours=2))), 2**63 - 1),
    ],
)
def test_a_cursor_decodes_to_its_page_key(key: PageKey) -> None:
    assert PageKey.from_cursor(key.cursor) == key


@pytest.mark.parametrize("text", ["", "x", "AAAA", "ä", "A" * 22, "A" * 23, f"{'A' * 21}B\n", "_" * 22, "f" + "_" * 21])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a cursor of this list"):
        PageKey.from_cursor(text)
