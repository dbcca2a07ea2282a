"""JSON responses by orjson, in Flask's format except that non-ASCII characters are not escaped."""

from typing import Any, cast

import orjson
from flask import Response
from flask.json.provider import DefaultJSONProvider


class OrjsonProvider(DefaultJSONProvider):
    """JSON provider for responses only. If a sum of prices exceeds 64 bits, which orjson refuses, Flask writes it."""

    def response(self, *args: Any, **kwargs: Any) -> Response:
        for_people = orjson.OPT_INDENT_2 if self._app.debug else 0
        option = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE | for_people
        try:
            body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=option)
        except orjson.JSONEncodeError:
            return cast("Response", super().response(*args, **kwargs))
        return Response(body, mimetype=self.mimetype)
