"""Request payloads."""

from typing import Annotated

from pydantic import Field

from groundwork.flask.http.field_types import Name
from groundwork.flask.http.requests import Body


class NewItem(Body):
    name: Annotated[Name, Field(examples=["A first one"])]
