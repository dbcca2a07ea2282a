"""Request payloads of accounts."""

from typing import Annotated

from pydantic import Field, SecretStr

from app.accounts.field_types import LONGEST_PASSWORD, Email, NewPassword, TokenDays, TokenName
from groundwork.flask.http.field_types import Name
from groundwork.flask.http.requests import Body


class NewUser(Body):
    email: Email
    name: Annotated[Name, Field(examples=["Ada"])]
    password: NewPassword


class NewToken(Body):
    email: Email
    password: Annotated[SecretStr, Field(max_length=LONGEST_PASSWORD, examples=["correct horse battery staple"])]
    name: TokenName = "API"
    """So that you know it again."""
    days: TokenDays = 30
    """How long it is good."""
