"""Errors of items."""

from dataclasses import dataclass

from groundwork.flask.errors import Unknown


@dataclass(eq=False)
class UnknownItem(Unknown):
    item_id: int

    def __str__(self) -> str:
        return f"There is no item {self.item_id}."
