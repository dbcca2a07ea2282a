"""Cursor pagination of long lists. A cursor encodes the sort key of an entity and is opaque to clients."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol, Self
from urllib.parse import urlencode

from flask import request
from sqlalchemy.orm import Mapped

from groundwork.flask.database import Id, Moment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FORMAT = struct.Struct(">qq")
CURSOR_PATTERN = "^[A-Za-z0-9_-]{21}[AQgw]$"


class PageKey(NamedTuple):
    """Sort key of an entity in a list."""

    created_at: datetime
    id: int

    @classmethod
    def from_cursor(cls, cursor: str) -> Self:
        """Decode the cursor; raise ValueError if it is invalid."""
        try:
            microseconds, number = FORMAT.unpack(urlsafe_b64decode(cursor + "=="))
            key = cls(EPOCH + timedelta(microseconds=microseconds), number)
        except (struct.error, OverflowError, ValueError):
            raise ValueError("is not a cursor of this list") from None
        if key.cursor != cursor or number < 1:
            raise ValueError("is not a cursor of this list")
        return key

    @property
    def cursor(self) -> str:
        microseconds = (self.created_at - EPOCH) // timedelta(microseconds=1)
        return urlsafe_b64encode(FORMAT.pack(microseconds, self.id)).decode().rstrip("=")


class Paginated:
    """Mixin for entities in long lists, newest first."""

    id: Mapped[Id]
    created_at: Mapped[Moment]

    @property
    def page_key(self) -> PageKey:
        return PageKey(self.created_at, self.id)


class HasPageKey(Protocol):
    @property
    def page_key(self) -> PageKey: ...


def next_page(items: Sequence[HasPageKey], limit: int) -> str | None:
    """Return the URL of the next page, with the same query; None if there can be none."""
    if len(items) < limit:
        return None
    again = request.args.to_dict() | {"cursor": items[-1].page_key.cursor}
    return f"{request.script_root}{request.path}?{urlencode(again)}"
