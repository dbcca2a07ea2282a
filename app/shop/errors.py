"""Errors of products and orders."""

from dataclasses import dataclass

from groundwork.flask.errors import Conflict, Unknown


@dataclass(eq=False)
class UnknownProduct(Unknown):
    product_ids: list[int]

    def __str__(self) -> str:
        return f"There is no product {', '.join(map(str, self.product_ids))}."


@dataclass(eq=False)
class UnknownOrder(Unknown):
    order_id: int

    def __str__(self) -> str:
        return f"There is no order {self.order_id}."


@dataclass(eq=False)
class SkuTaken(Conflict):
    sku: str

    def __str__(self) -> str:
        return f"There already is a product with the SKU {self.sku}."


@dataclass(frozen=True)
class Shortage:
    product_id: int
    name: str
    wanted: int
    left: int

    def __str__(self) -> str:
        return f"{self.wanted} of {self.name} wanted, {self.left} left"


@dataclass(eq=False)
class OutOfStock(Conflict):
    shortages: list[Shortage]

    def __str__(self) -> str:
        return f"{'; '.join(map(str, self.shortages))}."


@dataclass(eq=False)
class StockFull(Conflict):
    product_id: int
    name: str

    def __str__(self) -> str:
        return f"The stock of {self.name} cannot be counted any higher."


@dataclass(eq=False)
class InvalidTransition(Conflict):
    order_id: int
    current: str
    wanted: str

    @classmethod
    def public_name(cls) -> str:
        return "NotPossibleAnyMore"

    def __str__(self) -> str:
        return f"Order {self.order_id} is {self.current} and cannot become {self.wanted}."
