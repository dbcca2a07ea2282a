"""What a request may carry."""

from collections import Counter
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import quote

from flask import Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app.cursors import Place
from app.errors import InvalidField, InvalidParameter, InvalidRequest
from app.models import OrderStatus
from app.values import (
    LONGEST_PASSWORD,
    Amount,
    Cursor,
    Email,
    Id,
    Name,
    NewPassword,
    Quantity,
    Sku,
    TokenDays,
    TokenName,
)

LONGEST_ORDER = 100
LONGEST_PAGE = 100
MOST_ERRORS = 20
"""That an answer lists: it is not to be larger than the request."""
LONGEST_SHOWN = 100
"""Characters, of a name that the client made up."""


class Body(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(
        strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    @classmethod
    def of(cls, request: Request) -> Self:
        """Raises UnsupportedMediaType, BadRequest where it is no JSON, or InvalidRequest with the wrong fields."""
        if not request.is_json:
            raise UnsupportedMediaType("The body should be sent as application/json.")
        try:
            return cls.model_validate_json(request.get_data())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            if problems[0]["type"] == "json_invalid":
                raise BadRequest(problems[0]["msg"]) from None
            listed, more = problems[:MOST_ERRORS], len(problems[MOST_ERRORS:])
            fields = [InvalidField(_pointer(problem["loc"]), _sentence(problem["msg"])) for problem in listed]
            raise InvalidRequest(fields, more) from None


class Query(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Raises InvalidRequest with the wrong parameters."""
        try:
            return cls.model_validate(request.args.to_dict())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            listed, more = problems[:MOST_ERRORS], len(problems[MOST_ERRORS:])
            parameters = [InvalidParameter(_shown(problem["loc"][0]), _sentence(problem["msg"])) for problem in listed]
            raise InvalidRequest(parameters, more) from None


class Page(Query):
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = 20
    """How many at most."""
    cursor: Cursor | None = None
    """Where to go on, as `next` of the page before has it."""

    @property
    def after(self) -> Place | None:
        return Place.of(self.cursor) if self.cursor else None


class Orders(Page):
    status: OrderStatus | None = None
    user_id: Id | None = None
    """Whose; a customer's are always their own."""
    since: AwareDatetime | None = None
    """Placed then or later."""
    until: AwareDatetime | None = None
    """Placed before that."""


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


class NewProduct(Body):
    sku: Sku
    """Names the product outside of the shop; no two have the same."""
    name: Annotated[Name, Field(examples=["Stoneware mug"])]
    price_cents: Amount
    stock: Annotated[Amount, Field(examples=[12])]
    """Pieces that can be bought."""


class ProductChange(Body):
    """All that can change of a product; what else has been sold under its SKU, stays."""

    name: Annotated[Name, Field(examples=["Stoneware mug"])]
    price_cents: Amount
    stock: Annotated[Amount, Field(examples=[12])]


class OrderChange(Body):
    status: Literal[OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.CANCELLED]
    """What it shall become: paid and then shipped, or cancelled before that."""


class NewLine(Body):
    product_id: Id
    quantity: Quantity


class NewOrder(Body):
    user_id: Id | None = None
    """Who buys: whoever asks, or the customer for whom the staff does."""
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=LONGEST_ORDER)]

    @property
    def quantities(self) -> Counter[int]:
        """Pieces by product; what two lines ask for is added up."""
        quantities: Counter[int] = Counter()
        for line in self.lines:
            quantities[line.product_id] += line.quantity
        return quantities


def _pointer(location: tuple[int | str, ...]) -> str:
    steps = (_shown(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "#" + "".join(f"/{quote(step)}" for step in steps)


def _shown(name: int | str) -> str:
    text = str(name)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[0].upper() + message[1:]
