"""Value types of accounts, with validation for all inputs."""

from typing import Annotated

from pydantic import AfterValidator, EmailStr, Field, Secret, StringConstraints

from app.accounts.models import EMAIL_LENGTH, TOKEN_NAME_LENGTH
from groundwork.flask.http.field_types import NAME_PATTERN, trimmed, without_nul

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
LONGEST_TOKEN = 365  # days

Email = Annotated[
    EmailStr,
    Field(max_length=EMAIL_LENGTH, examples=["ada@example.com"], json_schema_extra={"format": "idn-email"}),
]
# The length is checked on a str: for a SecretStr, pydantic's message would speak of "items".
NewPassword = Annotated[
    Secret[Annotated[str, StringConstraints(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]],
    Field(
        examples=["correct horse battery staple"],
        json_schema_extra={"format": "password", "writeOnly": True},
    ),
]
TokenName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TOKEN_NAME_LENGTH),
    AfterValidator(trimmed),
    AfterValidator(without_nul),
    Field(json_schema_extra={"pattern": NAME_PATTERN}, examples=["a script of mine"]),
]
TokenDays = Annotated[int, Field(ge=1, le=LONGEST_TOKEN)]
