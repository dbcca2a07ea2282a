"""Base classes of HTML forms."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from groundwork.flask.http.field_types import Cursor
from groundwork.flask.http.pagination import PageKey


class InvalidForm(Exception):
    """Error with a hint for each invalid field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = errors
        super().__init__(", ".join(errors))


class Form(BaseModel):
    """Base of the forms. A field's docstring is its hint, shown next to the field and again as its error."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Self:
        """Parse the form, without its empty fields; raise InvalidForm if a field is invalid."""
        try:
            return cls.model_validate({name: text for name, text in sent.items() if text.strip()})
        except ValidationError as error:
            raise InvalidForm(
                {str(name): cls.hint(str(name)) for name, *_ in (each["loc"] for each in error.errors())}
            ) from None

    @classmethod
    def hint(cls, name: str) -> str:
        return cls.model_fields[name].description or ""


class PageForm(Form):
    """Query parameters of a long list."""

    cursor: Cursor | None = None
    """As a link of the page before has it."""

    @property
    def after(self) -> PageKey | None:
        return PageKey.from_cursor(self.cursor) if self.cursor else None
