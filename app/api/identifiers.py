"""Ids as they stand in an address."""

from werkzeug.routing import IntegerConverter, Map

from app.database import BIGINT_MAX


class IdConverter(IntegerConverter):
    """Matches what the database can hold; any other number is the address of nothing."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=BIGINT_MAX)
