"""What a long task is at: a line that moves in a terminal, a line for each step that is done anywhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def step(doing: str) -> Iterator[Callable[[str], None]]:
    """Says what is done and how long it took; of what fails, the exception tells.

    What it gives takes what is being done just now, for those who watch.
    """
    began = time.monotonic()
    with _console().status(f"{doing} …") as status:
        yield lambda now: status.update(f"{doing}: {now}")
    _console().print(f"[green]✓[/] {doing} [dim]({time.monotonic() - began:.1f} s)[/]", highlight=False, soft_wrap=True)


@cache
def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)
