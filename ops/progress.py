"""What a long task is at: a line that moves in a terminal, a line for each step that is done anywhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Says what is done and how long it took; of what fails, the exception tells."""
    began = time.monotonic()
    with _console().status(f"{doing} …"):
        yield
    _console().print(f"[green]✓[/] {doing} [dim]({time.monotonic() - began:.1f} s)[/]", highlight=False)


@cache
def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)
