"""Long lists, a page at a time."""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlencode

from flask import request

from app.cursors import Place


class Placed(Protocol):
    @property
    def place(self) -> Place: ...


def following(items: Sequence[Placed], limit: int) -> str | None:
    """The address of the items after these, as these were asked for; None where there can be none."""
    if len(items) < limit:
        return None
    again = request.args.to_dict() | {"cursor": items[-1].place.cursor}
    return f"{request.script_root}{request.path}?{urlencode(again)}"
