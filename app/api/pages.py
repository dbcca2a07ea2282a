"""Long lists, a page at a time."""

from collections.abc import Sequence

from flask import url_for

from app.api.payloads import Page


def page(name: str, asked: Page, items: Sequence[dict[str, object]]) -> dict[str, object]:
    """`items` under their name, and under `next` the address of those that follow: null where there can be none."""
    full = len(items) == asked.limit
    following = url_for(".index", limit=asked.limit, before=items[-1]["id"]) if full else None
    return {name: items, "next": following}
