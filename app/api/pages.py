"""Long lists, a page at a time."""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlencode

from flask import request

from app.api.payloads import Page
from app.cursors import Place


class Placed(Protocol):
    @property
    def place(self) -> Place: ...


def following(asked: Page, items: Sequence[Placed]) -> str | None:
    """The address of the items after these, None where there can be none."""
    if len(items) < asked.limit:
        return None
    again = asked.model_dump(mode="json", exclude_none=True) | {"cursor": items[-1].place.cursor}
    return f"{request.script_root}{request.path}?{urlencode(again)}"
