"""Long lists, a page at a time."""

from collections.abc import Sequence

from flask import url_for

from app.api.answers import Order, Product
from app.api.payloads import Page


def following(asked: Page, items: Sequence[Order | Product]) -> str | None:
    """The address of the items after these, None where there can be none."""
    return url_for(".index", limit=asked.limit, before=items[-1]["id"]) if len(items) == asked.limit else None
