"""Generation of rows in worker processes, in parts, a few parts ahead of their use.

Neither this module nor a large scenario imports the app, so that the worker processes start fast.
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

from groundwork.scenarios.project import FOLDER

WORKERS = 2  # a third would only wait for PostgreSQL
MAX_PENDING = 2 * WORKERS  # parts that are generated or wait to be copied; this limits the memory
MIN_PARTS = 4  # fewer are generated faster than a worker process starts

Columns = Mapping[str, Sequence[str]]
"""Filled columns by table."""

Rows = dict[str, str]
"""Rows by table, in COPY's text format: one row per line, values separated by tabs."""

NULL = r"\N"

Part = partial[Rows]
"""A call that generates some of the rows. Parts are independent, since any process may run any of them."""


def generate(parts: Iterable[Part]) -> Iterator[Rows]:
    """Yield the rows of each part, in order. Raises what a part raises, with its file and line as a note."""
    remaining = iter(parts)
    first = list(islice(remaining, MIN_PARTS))
    if len(first) < MIN_PARTS:
        yield from map(_generate_part, first)
        return
    pending: deque[Future[Rows]] = deque()
    workers = ProcessPoolExecutor(WORKERS, get_context("spawn"), initializer=_init_worker, initargs=(os.getpid(),))
    try:
        for part in chain(first, remaining):
            pending.append(workers.submit(_generate_part, part))
            if len(pending) > MAX_PENDING:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        workers.shutdown(cancel_futures=True)


def location(error: BaseException) -> str:
    """Return FILE:LINE of the innermost line of a scenario in the traceback; empty if there is none."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [f"{FOLDER.name}/{Path(file).name}:{line}" for file, line in frames if _is_scenario(Path(file))]
    return own[-1] if own else " ".join(getattr(error, "__notes__", []))


def _is_scenario(file: Path) -> bool:
    return file.parent == FOLDER and not file.name.startswith("_")


def _generate_part(part: Part) -> Rows:
    """Run a part; add the location of an error as a note, since the traceback does not reach the parent process."""
    try:
        return part()
    except Exception as error:
        error.add_note(location(error))
        raise


def _init_worker(parent: int) -> None:
    """Ignore Ctrl-C, which the parent handles, and exit when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with, args=[parent], daemon=True).start()


def _exit_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
