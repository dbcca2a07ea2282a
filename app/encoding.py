"""Answers as JSON, by orjson: as Flask writes them, but for what is not ASCII, which is not escaped."""

from typing import Any, cast

import orjson
from flask import Response
from flask.json.provider import DefaultJSONProvider


class FastAnswers(DefaultJSONProvider):
    """For answers only. A sum of prices may exceed 64 bits, which orjson refuses: Flask writes that answer."""

    def response(self, *args: Any, **kwargs: Any) -> Response:
        for_people = orjson.OPT_INDENT_2 if self._app.debug else 0
        option = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE | for_people
        try:
            body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=option)
        except orjson.JSONEncodeError:
            return cast("Response", super().response(*args, **kwargs))
        return Response(body, mimetype=self.mimetype)
