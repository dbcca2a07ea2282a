"""A measured query: what is written to the file, and shown without importing the app."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    call: str
    number: int
    """Of the statements of a call, counted from 1."""
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
