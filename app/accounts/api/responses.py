"""Response payloads of accounts."""

from typing import Annotated

from pydantic import Field, with_config
from typing_extensions import TypedDict  # pydantic cannot use typing's before Python 3.12

from app.accounts.field_types import Email
from app.accounts.models import Role
from groundwork.flask.http.field_types import Id, Name
from groundwork.flask.http.responses import CLOSED, Moment


@with_config(CLOSED)
class User(TypedDict):
    id: Id
    email: Email
    name: Annotated[Name, Field(examples=["Ada"])]
    role: Role
    created_at: Moment


@with_config(CLOSED)
class Token(TypedDict):
    id: Id
    name: Annotated[Name, Field(examples=["a script of mine"])]
    created_at: Moment
    expires_at: Moment


@with_config(CLOSED)
class Tokens(TypedDict):
    tokens: list[Token]
    """The newest first."""


@with_config(CLOSED)
class NewToken(Token):
    user_id: Id
    role: Role
    token: Annotated[str, Field(examples=["token_…"])]
    """To be kept secret. It is shown this once."""
