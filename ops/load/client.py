"""Connections that are kept alive and used without a pause: reads, and orders that are sent again until answered."""

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from random import Random

from aiohttp import (
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)

from ops.load.attempt import TOO_MANY_REQUESTS, WORTH_RETRYING, Attempt
from ops.load.pace import Pace
from ops.load.shop import Order, Shop

READS = ("/api/orders?limit=20", "/api/orders?limit=20", "/api/products")
ORDERS = "/api/orders"
SHARE_OF_WRITES = 0.25
SECONDS_TO_ANSWER = 15  # longer than the proxy waits for a replica: it should tell, not the clock here
SECONDS_TO_RETRY = 30
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


class ConnectionLost(ClientError):
    """aiohttp sends a GET again by itself when its connection breaks, but for an exception that it does not know."""


@dataclass(frozen=True)
class Plan:
    url: str
    connections: int = 50
    per_second: float = 0
    """All of them together; 0 is as many as are answered."""
    writes_per_second: float = 0
    """Of these too; what the proxy would refuse tells nothing of it."""


@dataclass
class Client:
    plan: Plan
    shop: Shop = field(default_factory=Shop)
    token: str = ""
    """Of the shop's clerk, who orders for all of its buyers."""
    attempts: list[Attempt] = field(default_factory=list)
    stopping: bool = False
    under_way: list[float] = field(default_factory=list)
    """When the attempts were begun that have not ended yet."""

    def __post_init__(self) -> None:
        self._random = Random(1)  # noqa: S311  the same requests each time, more or less
        self._pace, self._writes = Pace(self.plan.per_second), Pace(self.plan.writes_per_second)

    async def run(self) -> None:
        """Until `stopping`, and until what is under way by then is answered."""
        async with self.session() as connected, asyncio.TaskGroup() as connections:
            for _ in range(self.plan.connections):
                connections.create_task(self._use(connected))

    def session(self) -> ClientSession:
        return ClientSession(
            self.plan.url,
            headers={"Authorization": f"Bearer {self.token}"},
            connector=TCPConnector(limit=self.plan.connections, ssl=False),  # a certificate may sign itself
            timeout=ClientTimeout(total=SECONDS_TO_ANSWER),
            middlewares=[_sent_once],
        )

    async def _use(self, connected: ClientSession) -> None:
        while not self.stopping:
            await self._pace.turn()
            if self._random.random() < SHARE_OF_WRITES and self._writes.take():
                await self._request(connected, self.shop.new_order(self._random))
            else:
                await self._request(connected, self._random.choice(READS))

    async def _request(self, connected: ClientSession, what: Order | str) -> None:
        """Send it until it is answered, or for so long that nobody would wait."""
        deadline, pause, first = time.monotonic() + SECONDS_TO_RETRY, FIRST_PAUSE, True
        while True:
            attempt, wait = await self._send(connected, what)
            in_time = time.monotonic() < deadline  # also after `stopping`: what is under way is to be answered
            again = in_time and attempt.status in {*WORTH_RETRYING, TOO_MANY_REQUESTS}
            self.attempts.append(replace(attempt, first=first, last=not again))
            if not again:
                return
            await asyncio.sleep(max(wait, pause * self._random.uniform(0.5, 1.5)))
            pause, first = min(pause * 2, LONGEST_PAUSE), False
            if isinstance(what, Order):
                await self._writes.turn()

    async def _send(self, connected: ClientSession, what: Order | str) -> tuple[Attempt, float]:
        start = time.time()
        self.under_way.append(start)
        try:
            return await _send(connected, what, start)
        finally:
            self.under_way.remove(start)


async def _sent_once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    try:
        return await send(request)
    except ClientError as error:
        raise ConnectionLost(_named(error)) from error


async def _send(connected: ClientSession, what: Order | str, start: float) -> tuple[Attempt, float]:
    """The attempt, and for how many seconds it was asked to wait."""
    begun = time.perf_counter()
    status, error, request_id, retry_after = 0, "", "", ""
    method, path = ("POST", ORDERS) if isinstance(what, Order) else ("GET", what)
    headers = {"Idempotency-Key": what.key} if isinstance(what, Order) else {}
    asked = what.body if isinstance(what, Order) else None
    try:
        async with connected.request(method, path, json=asked, headers=headers) as answer:
            body = await answer.read()
            status, request_id = answer.status, answer.headers.get("X-Request-ID", "")
            retry_after = answer.headers.get("Retry-After", "")
            if isinstance(what, Order) and status == 201:
                what.acknowledged = int(json.loads(body)["id"])
    except ClientError as failed:
        error = str(failed) if isinstance(failed, ConnectionLost) else _named(failed)
    except TimeoutError:
        error = f"no answer within {SECONDS_TO_ANSWER} s"
    seconds = time.perf_counter() - begun
    attempt = Attempt(f"{method} {path}", True, True, start, seconds, status, error, request_id, bool(retry_after))
    return attempt, float(retry_after) if retry_after.isdecimal() else 0


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
