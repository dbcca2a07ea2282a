"""Response payloads."""

from typing import Annotated

from pydantic import Field, with_config
from typing_extensions import TypedDict  # pydantic cannot use typing's before Python 3.12

from groundwork.flask.http.field_types import Id, Name
from groundwork.flask.http.responses import CLOSED, Address, Moment


@with_config(CLOSED)
class Item(TypedDict):
    id: Id
    name: Annotated[Name, Field(examples=["A first one"])]
    created_at: Moment


@with_config(CLOSED)
class ItemPage(TypedDict):
    items: list[Item]
    """The newest first."""
    next: Annotated[Address | None, Field(examples=["/api/items?limit=20&cursor=AAYUC0E9OoAAAAAAAAAAKQ"])]
    """The address of those that follow; null where there can be none."""
