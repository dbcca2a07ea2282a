"""Load beside whatever else is done meanwhile."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ops import shell
from ops.load.client import Client


@contextmanager
def under_load(client: Client) -> Iterator[None]:
    """Begins once the shop has buyers and goods; when the block has ended, what was under way has been answered.

    Raises aiohttp's ClientError where the service takes neither users nor products.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="load") as thread:
        thread.submit(asyncio.run, _open(client)).result()
        running = thread.submit(asyncio.run, client.run())
        try:
            yield
        finally:
            with shell.uninterrupted():
                client.stopping = True
                running.result()


async def _open(client: Client) -> None:
    async with client.session() as connected:
        await client.shop.open(connected)
