"""What the pages send."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from app.cursors import Place
from app.database import INTEGER_MAX
from app.models import EMAIL_LENGTH, OrderStatus
from app.values import LONGEST_PASSWORD, Amount, Cursor, Name

NUMBER = re.compile(r"[#№]?\s*([0-9]{1,18})")
ADDRESS = re.compile(r"[^@\0]+@[^@\0]+")
PRICE = re.compile(r"([0-9]{1,8})(?:[.,]([0-9]{2}))?")


class Unfit(Exception):
    """Holds what each field that is wrong should be."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = errors
        super().__init__(", ".join(errors))


class Form(BaseModel):
    """A field's docstring says what it should be: beside it on the page, and once more where it is not."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> Self:
        """What was left empty was not sent. Raises Unfit."""
        try:
            return cls.model_validate({name: text for name, text in sent.items() if text.strip()})
        except ValidationError as error:
            raise Unfit(
                {str(name): cls.hint(str(name)) for name, *_ in (each["loc"] for each in error.errors())}
            ) from None

    @classmethod
    def hint(cls, name: str) -> str:
        return cls.model_fields[name].description or ""


def _address(text: str) -> str:
    if not ADDRESS.fullmatch(text.strip()):
        raise ValueError
    return text.strip()


def _number_or_address(text: str) -> str:
    return text.strip() if NUMBER.fullmatch(text.strip()) else _address(text)


def _cents(text: str) -> int:
    found = PRICE.fullmatch(text.strip())
    if found is None:
        raise ValueError
    return int(found[1]) * 100 + int(found[2] or 0)


Address = Annotated[str, Field(max_length=EMAIL_LENGTH), AfterValidator(_address)]


class Credentials(Form):
    email: Address
    """The e-mail address that you have at the shop."""
    password: Annotated[SecretStr, Field(max_length=LONGEST_PASSWORD)]
    """Your password."""


class Search(Form):
    q: Annotated[str, Field(max_length=EMAIL_LENGTH), AfterValidator(_number_or_address)] | None = None
    """The number of an order, or the e-mail address of a customer."""
    status: OrderStatus | None = None
    """One of these."""
    since: date | None = None
    """A day, as in 2026-11-22."""
    until: Annotated[date, Field(lt=date.max)] | None = None
    """A day, as in 2026-11-22."""
    cursor: Cursor | None = None
    """As a link of this page has it."""

    @property
    def number(self) -> int | None:
        found = NUMBER.fullmatch(self.q or "")
        return int(found[1]) if found else None

    @property
    def begin(self) -> datetime | None:
        return datetime.combine(self.since, time.min, UTC) if self.since else None

    @property
    def end(self) -> datetime | None:
        """The last day is among them."""
        return datetime.combine(self.until + timedelta(days=1), time.min, UTC) if self.until else None

    @property
    def after(self) -> Place | None:
        return Place.of(self.cursor) if self.cursor else None


class Shelf(Form):
    cursor: Cursor | None = None
    """As a link of this page has it."""

    @property
    def after(self) -> Place | None:
        return Place.of(self.cursor) if self.cursor else None


class Step(Form):
    status: Literal[OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.CANCELLED]
    """What an order may become."""


class Change(Form):
    """Of a product; `seen` is its version when the page was made."""

    name: Name
    """What customers read, of 200 characters at most."""
    price: Annotated[int, BeforeValidator(_cents), Field(le=INTEGER_MAX)]
    """In euros, as in 18.00."""
    stock: Amount
    """Pieces that can still be bought: a whole number."""
    seen: str
    """Made by the page."""
