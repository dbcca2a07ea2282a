"""Request class and URL converter of the app, in place of Flask's own."""

import re
from typing import TYPE_CHECKING

import flask
from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter, Map, ValidationError

from groundwork.flask.database import BIGINT_MAX

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


class Request(flask.Request):
    """Request whose query may contain bytes beyond ASCII, which clients should escape but many do not."""

    def __init__(self, environ: "WSGIEnvironment", populate_request: bool = True, shallow: bool = False) -> None:
        """Escape these bytes: werkzeug raises UnicodeDecodeError for invalid UTF-8, but replaces escaped bytes."""
        query = environ.get("QUERY_STRING", "")
        environ["QUERY_STRING"] = BEYOND_ASCII.sub(lambda found: f"%{ord(found[0]):02X}", query)
        super().__init__(environ, populate_request, shallow)


class IdConverter(IntegerConverter):
    """Converter for ids that the database can hold; any larger number is a 404."""

    regex = "[0-9]+"  # \d matches the digits of all scripts, and an entity has one URL

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=BIGINT_MAX)

    def to_python(self, value: str) -> int:
        """Raise NotFound if the id is out of range: with several methods at the URL, werkzeug would answer 405."""
        try:
            return int(super().to_python(value))
        except ValidationError:
            raise NotFound from None
