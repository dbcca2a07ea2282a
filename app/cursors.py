"""The place in a long list after which one goes on, as a client carries it: it means nothing to the client."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FORMAT = struct.Struct(">qq")
PATTERN = "^[A-Za-z0-9_-]{21}[AQgw]$"


class Place(NamedTuple):
    """What the list is sorted by."""

    created_at: datetime
    id: int

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Raises ValueError where it is no cursor."""
        try:
            microseconds, number = FORMAT.unpack(urlsafe_b64decode(cursor + "=="))
            place = cls(EPOCH + timedelta(microseconds=microseconds), number)
        except (struct.error, OverflowError, ValueError):
            raise ValueError("is not a cursor of this list") from None
        if place.cursor != cursor or number < 1:
            raise ValueError("is not a cursor of this list")
        return place

    @property
    def cursor(self) -> str:
        microseconds = (self.created_at - EPOCH) // timedelta(microseconds=1)
        return urlsafe_b64encode(FORMAT.pack(microseconds, self.id)).decode().rstrip("=")
