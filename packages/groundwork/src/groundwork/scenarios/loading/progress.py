"""Progress of a load: a progress bar in a terminal, otherwise a line every few seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

SECONDS_BETWEEN_LINES = 5


@contextmanager
def track(name: str, parts: int) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of rows of each part."""
    with (_bar if sys.stderr.isatty() else _lines)(name, parts) as report:
        yield report


@contextmanager
def _bar(name: str, parts: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(30), _Rows(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=parts, rows=0)
        rows = 0

        def report(more: int) -> None:
            nonlocal rows
            rows += more
            progress.update(task, advance=1, rows=rows)
            if progress.finished:
                progress.update(task, description=f"{name}: indexes and keys")

        yield report


@contextmanager
def _lines(name: str, parts: int) -> Iterator[Callable[[int], None]]:
    start = last = time.monotonic()
    rows = done = 0

    def report(more: int) -> None:
        nonlocal rows, done, last
        rows, done, now = rows + more, done + 1, time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            remaining = (now - start) / done * (parts - done)
            print(f"{name}: {_rate(rows, now - start)}, {remaining:.0f} s left", file=sys.stderr, flush=True)
            last = now

    yield report


class _Rows(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(_rate(task.fields["rows"], task.elapsed or 0))


def _rate(rows: int, seconds: float) -> str:
    return f"{rows:,} rows, {rows / max(seconds, 0.001):,.0f}/s"
