"""Base classes of request payloads and query parameters, which answer 422 with every error."""

from typing import Annotated, ClassVar, Self
from urllib.parse import quote

from flask import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from groundwork.flask.errors import InvalidField, InvalidParameter, InvalidRequest
from groundwork.flask.http.field_types import Cursor
from groundwork.flask.http.pagination import PageKey

LONGEST_PAGE = 100
MOST_ERRORS = 20
"""Errors listed in a response, so that it is not larger than the request."""
LONGEST_SHOWN = 100
"""Characters shown of a name that the client made up."""


class Body(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(
        strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    @classmethod
    def of(cls, request: Request) -> Self:
        """Parse the body; raise UnsupportedMediaType, BadRequest if not JSON, or InvalidRequest with its errors."""
        if not request.is_json:
            raise UnsupportedMediaType("The body should be sent as application/json.")
        try:
            return cls.model_validate_json(request.get_data())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            if problems[0]["type"] == "json_invalid":
                raise BadRequest(problems[0]["msg"]) from None
            listed, more = problems[:MOST_ERRORS], len(problems[MOST_ERRORS:])
            fields = [InvalidField(_pointer(problem["loc"]), _sentence(problem["msg"])) for problem in listed]
            raise InvalidRequest(fields, more) from None


class Query(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Parse the query string; raise InvalidRequest with the invalid parameters."""
        try:
            return cls.model_validate(request.args.to_dict())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            listed, more = problems[:MOST_ERRORS], len(problems[MOST_ERRORS:])
            parameters = [InvalidParameter(_shown(problem["loc"][0]), _sentence(problem["msg"])) for problem in listed]
            raise InvalidRequest(parameters, more) from None


class Page(Query):
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = 20
    """How many at most."""
    cursor: Cursor | None = None
    """Where to go on, as `next` of the page before has it."""

    @property
    def after(self) -> PageKey | None:
        return PageKey.from_cursor(self.cursor) if self.cursor else None


def _pointer(location: tuple[int | str, ...]) -> str:
    steps = (_shown(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "#" + "".join(f"/{quote(step)}" for step in steps)


def _shown(name: int | str) -> str:
    text = str(name)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[0].upper() + message[1:]
