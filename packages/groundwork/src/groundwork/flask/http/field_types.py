"""Value types with validation for all inputs. The database can hold every valid value."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from groundwork.flask.database import BIGINT_MAX, NAME_LENGTH
from groundwork.flask.http.pagination import CURSOR_PATTERN, PageKey

NAME_PATTERN = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"


def cursor(text: str) -> str:
    PageKey.from_cursor(text)
    return text


def trimmed(text: str) -> str:
    """Trim the text, after the length check: as in the schema, the limit applies to the text as sent."""
    text = text.strip()
    if not text:
        raise ValueError("String should have at least 1 character")
    return text


def without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("String should not contain the character NUL")
    return text


Cursor = Annotated[str, Field(pattern=CURSOR_PATTERN), AfterValidator(cursor)]
Id = Annotated[int, Field(ge=1, le=BIGINT_MAX, examples=[1])]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH),
    AfterValidator(trimmed),
    AfterValidator(without_nul),
    Field(json_schema_extra={"pattern": NAME_PATTERN}),
]
