"""What a request may carry. Whatever passes here, the database can hold."""

from collections import Counter
from typing import Annotated, ClassVar, Self
from urllib.parse import quote

from flask import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app.database import BIGINT_MAX, INTEGER_MAX
from app.errors import InvalidField, InvalidParameter, InvalidRequest
from app.models import EMAIL_LENGTH, NAME_LENGTH, SKU_LENGTH

LONGEST_ORDER = 100
LONGEST_PAGE = 100


def _trimmed(text: str) -> str:
    """After its length was checked: what is too long as it was sent is refused, as the schema says."""
    text = text.strip()
    if not text:
        raise ValueError("String should have at least 1 character")
    return text


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("String should not contain the character NUL")
    return text


Id = Annotated[int, Field(ge=1, le=BIGINT_MAX, examples=[1])]
Amount = Annotated[int, Field(ge=0, le=INTEGER_MAX, examples=[1800])]
Quantity = Annotated[int, Field(ge=1, le=INTEGER_MAX, examples=[2])]
Email = Annotated[EmailStr, Field(max_length=EMAIL_LENGTH, examples=["ada@example.com"])]
Sku = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9._-]+$", max_length=SKU_LENGTH), Field(examples=["MUG-01"])]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH),
    AfterValidator(_trimmed),
    AfterValidator(_without_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}),
]


class Body(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(
        strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    @classmethod
    def of(cls, request: Request) -> Self:
        """Raises UnsupportedMediaType, BadRequest where it is no JSON, or InvalidRequest with every wrong field."""
        if not request.is_json:
            raise UnsupportedMediaType("The body should be sent as application/json.")
        try:
            return cls.model_validate_json(request.get_data())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            if problems[0]["type"] == "json_invalid":
                raise BadRequest(problems[0]["msg"]) from None
            fields = [InvalidField(_pointer(problem["loc"]), _sentence(problem["msg"])) for problem in problems]
            raise InvalidRequest(fields) from None


class Query(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Raises InvalidRequest with every wrong parameter."""
        try:
            return cls.model_validate(request.args.to_dict())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            parameters = [InvalidParameter(str(problem["loc"][0]), _sentence(problem["msg"])) for problem in problems]
            raise InvalidRequest(parameters) from None


class Page(Query):
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = 20
    """How many at most."""
    before: Id | None = None
    """Those that came before the one with this id."""


class NewUser(Body):
    email: Email
    name: Annotated[Name, Field(examples=["Ada"])]


class NewProduct(Body):
    sku: Sku
    """Names the product outside of the shop; no two have the same."""
    name: Annotated[Name, Field(examples=["Stoneware mug"])]
    price_cents: Amount
    stock: Annotated[Amount, Field(examples=[12])]
    """Pieces that can be bought."""


class NewLine(Body):
    product_id: Id
    quantity: Quantity


class NewOrder(Body):
    user_id: Id
    """Who buys."""
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=LONGEST_ORDER)]

    @property
    def quantities(self) -> Counter[int]:
        """Pieces by product; what two lines ask for is added up."""
        quantities: Counter[int] = Counter()
        for line in self.lines:
            quantities[line.product_id] += line.quantity
        return quantities


def _pointer(location: tuple[int | str, ...]) -> str:
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "#" + "".join(f"/{quote(step)}" for step in steps)


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[0].upper() + message[1:]
