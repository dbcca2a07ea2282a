"""Load beside whatever else is done meanwhile."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ops.load.client import Client, Plan, session


@contextmanager
def under_load(plan: Plan) -> Iterator[Client]:
    """Returns once the first request was answered; the load has ended when the block has.

    Raises aiohttp's ClientError where the service takes neither users nor products.
    """
    client = Client(plan)
    with ThreadPoolExecutor(1, thread_name_prefix="load") as thread:
        thread.submit(asyncio.run, _open(client)).result()
        running = thread.submit(asyncio.run, client.run())
        try:
            yield client
        finally:
            client.stopping = True
            running.result()


async def _open(client: Client) -> None:
    async with session(client.plan) as connected:
        await client.shop.open(connected)
