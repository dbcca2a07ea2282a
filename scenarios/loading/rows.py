"""Rows made by other processes, in parts, a few ahead of their use.

Nothing here or in a story imports the app: the processes that make rows start at once.
"""

import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path

MAKERS = 2  # a third would only wait for PostgreSQL
AHEAD = 2 * MAKERS  # parts that are made or wait; what bounds the memory, whatever the size of the story
TOO_FEW = 4  # parts that are made sooner than a process starts
STORIES = Path(__file__).parent.parent

Columns = Mapping[str, Sequence[str]]
"""By table, those that a story fills."""

Rows = dict[str, str]
"""By table, in the text format of COPY: a line a row, a tab between values."""

NULL = r"\N"

Part = partial[Rows]
"""A call that makes some of the rows. Parts know nothing of each other, since any process may make any of them."""


def made(parts: Iterable[Part]) -> Iterator[Rows]:
    """In the order of the parts. Raises what a part raises, with its place as a note."""
    coming = iter(parts)
    first = list(islice(coming, TOO_FEW))
    if len(first) < TOO_FEW:
        yield from map(_make, first)
        return
    waiting: deque[Future[Rows]] = deque()
    makers = ProcessPoolExecutor(MAKERS, get_context("spawn"), initializer=_begin, initargs=(os.getpid(),))
    try:
        for part in chain(first, coming):
            waiting.append(makers.submit(_make, part))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        makers.shutdown(cancel_futures=True)


def place(error: BaseException) -> str:
    """FILE:LINE of the story's own line that led to it; empty where none did."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [f"scenarios/{Path(file).name}:{line}" for file, line in frames if _is_story(Path(file))]
    return own[-1] if own else " ".join(getattr(error, "__notes__", []))


def _is_story(file: Path) -> bool:
    return file.parent == STORIES and not file.name.startswith("_")


def _make(part: Part) -> Rows:
    """Of a traceback only notes survive the way between two processes."""
    try:
        return part()
    except Exception as error:
        error.add_note(place(error))
        raise


def _begin(parent: int) -> None:
    """Ctrl-C is for the parent, and nobody makes rows for one that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=[parent], daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
