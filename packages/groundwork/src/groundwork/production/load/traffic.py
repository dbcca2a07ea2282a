"""Requests that the load sends, and rows that they leave, as the project's module `traffic` defines them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar
from uuid import uuid4


@dataclass
class Write:
    """Request that has to take effect exactly once: it is sent with the same key until it is answered."""

    body: Mapping[str, object]
    content: Any
    """What `Traffic.find` must show for its row. No other write has the same, so that it identifies the row."""
    key: str = field(default_factory=lambda: str(uuid4()))
    acknowledged: int | None = None
    """ID in the service's response."""


@dataclass
class Traffic(ABC):
    """Requests of one drill, which never mix with existing data. The project's class is called `Load`."""

    TABLE: ClassVar[str]
    """Table that gets a row for each write: a drill locks it, and takes its disk space."""
    READS: ClassVar[Sequence[str]]
    """Paths to GET. One that occurs twice is requested twice as often."""
    WRITES: ClassVar[str]
    """Path to POST. A response 201 has the `id` of the new row."""

    mark: str
    """Part of the names of all data that is created for this load."""
    clerk: str
    """Email address of the staff account that sends the requests."""
    sql: Callable[[str], str]
    """Runs a script in the database and returns psql's output; the service is under test and not used."""
    writes: list[Write] = field(default_factory=list)
    """In the order in which they were first sent."""

    def next_write(self, random: Random) -> Write:
        self.writes.append(self.new_write(random))
        return self.writes[-1]

    @abstractmethod
    def prepare(self) -> None:
        """Insert the rows that the writes refer to."""

    @abstractmethod
    def new_write(self, random: Random) -> Write: ...

    @abstractmethod
    def find(self) -> dict[int, Any]:
        """Return the content of each row that this load has written, by ID."""

    @abstractmethod
    def broken_rules(self) -> list[str]:
        """Return, as phrases, the rules between several rows that do not hold, such as the sum of stock and sales."""

    @abstractmethod
    def forget(self) -> None:
        """Delete all that was written for this load, with its clerk."""
