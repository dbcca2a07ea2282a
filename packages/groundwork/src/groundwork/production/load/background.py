"""Load from a background thread."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from groundwork.production.load.client import Client
from groundwork.system import shell


@contextmanager
def under_load(client: Client) -> Iterator[None]:
    """Send load during the block. Afterwards, wait for requests in flight."""
    with ThreadPoolExecutor(1, thread_name_prefix="load") as thread:
        running = thread.submit(asyncio.run, client.run())
        try:
            yield
        finally:
            with shell.uninterrupted():
                client.stopping = True
                running.result()
