"""Forms of the pages of orders and products."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from app.accounts.backoffice.forms import email_address
from app.accounts.models import EMAIL_LENGTH
from app.shop.field_types import Amount
from app.shop.models import OrderStatus
from groundwork.flask.database import INTEGER_MAX
from groundwork.flask.http.field_types import Name
from groundwork.flask.http.forms import Form, PageForm

NUMBER = re.compile(r"[#№]?\s*([0-9]{1,18})")
PRICE = re.compile(r"([0-9]{1,8})(?:[.,]([0-9]{2}))?")


def _number_or_address(text: str) -> str:
    return text.strip() if NUMBER.fullmatch(text.strip()) else email_address(text)


def _cents(text: str) -> int:
    found = PRICE.fullmatch(text.strip())
    if found is None:
        raise ValueError
    return int(found[1]) * 100 + int(found[2] or 0)


class Search(PageForm):
    q: Annotated[str, Field(max_length=EMAIL_LENGTH), AfterValidator(_number_or_address)] | None = None
    """The number of an order, or the e-mail address of a customer."""
    status: OrderStatus | None = None
    """One of these."""
    since: date | None = None
    """A day, as in 2026-11-22."""
    until: Annotated[date, Field(lt=date.max)] | None = None
    """A day, as in 2026-11-22."""

    @property
    def number(self) -> int | None:
        found = NUMBER.fullmatch(self.q or "")
        return int(found[1]) if found else None

    @property
    def begin(self) -> datetime | None:
        return datetime.combine(self.since, time.min, UTC) if self.since else None

    @property
    def end(self) -> datetime | None:
        """Exclusive end: the day `until` is included."""
        return datetime.combine(self.until + timedelta(days=1), time.min, UTC) if self.until else None


class StatusForm(Form):
    status: Literal[OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.CANCELLED]
    """What an order may become."""


class ProductForm(Form):
    """Changes to a product."""

    name: Name
    """What customers read, of 200 characters at most."""
    price: Annotated[int, BeforeValidator(_cents), Field(le=INTEGER_MAX)]
    """In euros, as in 18.00."""
    stock: Amount
    """Pieces that can still be bought: a whole number."""
    seen: str = ""
    """Its version when the page was made; without one, nothing was seen."""
