"""Requests as the service reads them, whatever bytes they are made of."""

import re
from typing import TYPE_CHECKING

import flask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


class Request(flask.Request):
    """A request whose query may hold bytes beyond ASCII, which clients should have escaped, and many do not."""

    def __init__(self, environ: "WSGIEnvironment", populate_request: bool = True, shallow: bool = False) -> None:
        """Escape them: werkzeug raises UnicodeDecodeError for those that are no UTF-8, and replaces escaped ones."""
        query = environ.get("QUERY_STRING", "")
        environ["QUERY_STRING"] = BEYOND_ASCII.sub(lambda found: f"%{ord(found[0]):02X}", query)
        super().__init__(environ, populate_request, shallow)
