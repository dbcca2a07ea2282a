"""Ids as they stand in an address."""

from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter, Map, ValidationError

from app.database import BIGINT_MAX


class IdConverter(IntegerConverter):
    """Matches what the database can hold; any other number is the address of nothing."""

    regex = "[0-9]+"  # \d takes the digits of all scripts, and a thing has one address

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=BIGINT_MAX)

    def to_python(self, value: str) -> int:
        """Raises NotFound: werkzeug would say of an address with several methods that this one is not allowed."""
        try:
            return int(super().to_python(value))
        except ValidationError:
            raise NotFound from None
