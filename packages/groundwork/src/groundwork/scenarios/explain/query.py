"""Measured query, as stored in a file; importing it does not import the app."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    call: str
    number: int
    """Position of the statement in its call, starting at 1."""
    table: str
    sql: str
    milliseconds: float
    rows: int
    buffers: int
    main_node: str
    warnings: list[str]

    @property
    def name(self) -> str:
        return f"{self.call} · {self.number} {self.table}".rstrip()
