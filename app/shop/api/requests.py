"""Request payloads and query parameters."""

from collections import Counter
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from app.shop.field_types import Amount, Quantity, Sku
from app.shop.models import OrderStatus
from groundwork.flask.http.field_types import Id, Name
from groundwork.flask.http.requests import Body, Page

LONGEST_ORDER = 100


class Orders(Page):
    status: OrderStatus | None = None
    user_id: Id | None = None
    """Whose; a customer's are always their own."""
    since: AwareDatetime | None = None
    """Placed then or later."""
    until: AwareDatetime | None = None
    """Placed before that."""


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
        """Pieces by product id, summed over the lines."""
        quantities: Counter[int] = Counter()
        for line in self.lines:
            quantities[line.product_id] += line.quantity
        return quantities
