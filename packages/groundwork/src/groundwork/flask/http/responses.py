"""Types that response payloads share. Payloads are plain dicts: mypy checks how they are built, tests what is sent."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

CLOSED = ConfigDict(extra="forbid", use_attribute_docstrings=True)

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T09:30:00+00:00"])]
Address = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]


class Problem(BaseModel):
    """Problem document of RFC 9457."""

    model_config: ClassVar[ConfigDict] = CLOSED

    type: Annotated[str, Field(json_schema_extra={"const": "about:blank"})]
    """What kind of problem it is, for programs."""
    title: str
    """The same for people."""
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    """What is wrong with this request, and what to do."""
    instance: Address
    """The address that was asked."""
