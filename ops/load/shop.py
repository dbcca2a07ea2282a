"""Who buys and what is bought: made through the API, so that no order can be of anybody else."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from aiohttp import ClientSession

BUYERS, GOODS = 10, 20
STOCK = 2**31 - 1  # enough for 65,000 orders of each of the goods, one piece more every time


@dataclass
class Order:
    """No other is for as many pieces of the same: it is known by that in the database, whatever keys are kept there."""

    key: str
    user_id: int
    product_id: int
    quantity: int
    acknowledged: int | None = None
    """The id that the service answered it with."""

    @property
    def body(self) -> dict[str, object]:
        return {"user_id": self.user_id, "lines": [{"product_id": self.product_id, "quantity": self.quantity}]}


@dataclass
class Shop:
    mark: str = field(default_factory=lambda: uuid4().hex[:8])
    """By which what is made for it is known."""
    buyers: list[int] = field(default_factory=list)
    goods: list[int] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    """In the order in which they were first sent."""
    _sold: Counter[int] = field(default_factory=Counter)

    @property
    def clerk(self) -> str:
        """The e-mail address of who is to be of the staff before it opens."""
        return f"load-{self.mark}@example.com"

    async def open(self, session: "ClientSession") -> None:
        """Raises aiohttp's ClientError where the service does not take them."""
        for number in range(BUYERS):
            email = f"load-{self.mark}-{number}@example.com"
            body = {"email": email, "name": f"Load {number}", "password": uuid4().hex}
            self.buyers.append(await _add(session, "/api/users", body))
        for number in range(GOODS):
            product = {"sku": f"load-{self.mark}-{number}", "name": f"Load {number}", "price_cents": 1, "stock": STOCK}
            self.goods.append(await _add(session, "/api/products", product))

    def new_order(self, random: Random) -> Order:
        product = random.choice(self.goods)
        self._sold[product] += 1
        order = Order(str(uuid4()), random.choice(self.buyers), product, self._sold[product])
        self.orders.append(order)
        return order


async def _add(session: "ClientSession", path: str, body: Mapping[str, object]) -> int:
    async with session.post(path, json=body) as answer:
        answer.raise_for_status()
        return int((await answer.json())["id"])
