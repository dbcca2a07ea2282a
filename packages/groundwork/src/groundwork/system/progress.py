"""Progress of long tasks: a spinner in a terminal, and one line for each finished step."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def step(activity: str) -> Iterator[Callable[[str], None]]:
    """Print the activity and its duration when it has succeeded.

    Yields a function that updates the detail after the spinner. On failure, the exception has the message.
    """
    start = time.monotonic()
    with _console().status(f"{activity} …") as status:
        yield lambda detail: status.update(f"{activity}: {detail}")
    message = f"[green]✓[/] {activity} [dim]({time.monotonic() - start:.1f} s)[/]"
    _console().print(message, highlight=False, soft_wrap=True)


@cache
def _console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)
