"""What a value may be, wherever it comes from. Whatever passes here, the database can hold."""

from typing import Annotated

from pydantic import AfterValidator, EmailStr, Field, Secret, StringConstraints

from app.cursors import PATTERN, Place
from app.database import BIGINT_MAX, INTEGER_MAX
from app.models import EMAIL_LENGTH, NAME_LENGTH, SKU_LENGTH, TOKEN_NAME_LENGTH

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
LONGEST_TOKEN = 365  # days
NAME_PATTERN = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"


def _cursor(cursor: str) -> str:
    Place.of(cursor)
    return cursor


def _trimmed(text: str) -> str:
    """After its length was checked: what is too long as it was sent is refused, as the schema says."""
    text = text.strip()
    if not text:
        raise ValueError("String should have at least 1 character")
    return text


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("String should not contain the character NUL")
    return text


Cursor = Annotated[str, Field(pattern=PATTERN), AfterValidator(_cursor)]
Id = Annotated[int, Field(ge=1, le=BIGINT_MAX, examples=[1])]
Amount = Annotated[int, Field(ge=0, le=INTEGER_MAX, examples=[1800])]
Quantity = Annotated[int, Field(ge=1, le=INTEGER_MAX, examples=[2])]
Email = Annotated[
    EmailStr,
    Field(max_length=EMAIL_LENGTH, examples=["ada@example.com"], json_schema_extra={"format": "idn-email"}),
]
# Its length is checked as a string's: of a SecretStr, pydantic would speak of "items".
NewPassword = Annotated[
    Secret[Annotated[str, StringConstraints(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]],
    Field(
        examples=["correct horse battery staple"],
        json_schema_extra={"format": "password", "writeOnly": True},
    ),
]
Sku = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9._-]+$", max_length=SKU_LENGTH), Field(examples=["MUG-01"])]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH),
    AfterValidator(_trimmed),
    AfterValidator(_without_nul),
    Field(json_schema_extra={"pattern": NAME_PATTERN}),
]
TokenName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TOKEN_NAME_LENGTH),
    AfterValidator(_trimmed),
    AfterValidator(_without_nul),
    Field(json_schema_extra={"pattern": NAME_PATTERN}, examples=["a script of mine"]),
]
TokenDays = Annotated[int, Field(ge=1, le=LONGEST_TOKEN)]
