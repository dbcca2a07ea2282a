"""HTTP client that keeps connections busy with reads, and with writes that it retries until answered."""

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

from groundwork.production.load.attempt import CREATED, TOO_MANY_REQUESTS, WORTH_RETRYING, Attempt
from groundwork.production.load.rate_limiter import Pace
from groundwork.production.load.traffic import Traffic, Write

SHARE_OF_WRITES = 0.25
SECONDS_TO_ANSWER = 15  # longer than the proxy waits for a replica, so that the proxy reports a timeout first
SECONDS_TO_RETRY = 30
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


class ConnectionLost(ClientError):
    """Broken connection. aiohttp retries a GET by itself after its own exceptions, but not after this one."""


@dataclass(frozen=True)
class Plan:
    url: str
    connections: int = 50
    per_second: float = 0
    """Maximum requests per second of all connections; 0 is no limit."""
    writes_per_second: float = 0
    """Maximum writes per second of all connections; 0 is no limit. A write that the proxy throttles tests nothing."""


@dataclass
class Client:
    plan: Plan
    traffic: Traffic
    token: str = ""
    """Token of the traffic's clerk, who sends all requests."""
    attempts: list[Attempt] = field(default_factory=list)
    stopping: bool = False
    under_way: list[float] = field(default_factory=list)
    """Start times of the attempts in flight, in epoch seconds."""

    def __post_init__(self) -> None:
        self._random = Random(1)  # noqa: S311  roughly the same requests each time
        self._pace, self._writes = Pace(self.plan.per_second), Pace(self.plan.writes_per_second)

    async def run(self) -> None:
        """Send requests until `stopping` is set, and until requests in flight are answered."""
        async with self.session() as connected, asyncio.TaskGroup() as connections:
            for _ in range(self.plan.connections):
                connections.create_task(self._use(connected))

    def session(self) -> ClientSession:
        return ClientSession(
            self.plan.url,
            headers={"Authorization": f"Bearer {self.token}"},
            connector=TCPConnector(limit=self.plan.connections, ssl=False),  # the certificate may be self-signed
            timeout=ClientTimeout(total=SECONDS_TO_ANSWER),
            middlewares=[_sent_once],
        )

    async def _use(self, connected: ClientSession) -> None:
        while not self.stopping:
            await self._pace.turn()
            if self._random.random() < SHARE_OF_WRITES and self._writes.take():
                await self._request(connected, self.traffic.next_write(self._random))
            else:
                await self._request(connected, self._random.choice(self.traffic.READS))

    async def _request(self, connected: ClientSession, what: Write | str) -> None:
        """Send a request and retry it until it is answered, for at most SECONDS_TO_RETRY."""
        deadline, pause, first = time.monotonic() + SECONDS_TO_RETRY, FIRST_PAUSE, True
        while True:
            attempt, wait = await self._send(connected, what)
            in_time = time.monotonic() < deadline  # also after `stopping`: requests in flight must be answered
            again = in_time and attempt.status in {*WORTH_RETRYING, TOO_MANY_REQUESTS}
            self.attempts.append(replace(attempt, first=first, last=not again))
            if not again:
                return
            await asyncio.sleep(max(wait, pause * self._random.uniform(0.5, 1.5)))
            pause, first = min(pause * 2, LONGEST_PAUSE), False
            if isinstance(what, Write):
                await self._writes.turn()

    async def _send(self, connected: ClientSession, what: Write | str) -> tuple[Attempt, float]:
        start = time.time()
        self.under_way.append(start)
        try:
            return await _send(connected, self.traffic.WRITES, what, start)
        finally:
            self.under_way.remove(start)


async def _sent_once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    try:
        return await send(request)
    except ClientError as error:
        raise ConnectionLost(_named(error)) from error


async def _send(connected: ClientSession, writes: str, what: Write | str, start: float) -> tuple[Attempt, float]:
    """Return the attempt and the seconds in Retry-After; 0 without that header."""
    begun = time.perf_counter()
    status, error, request_id, retry_after = 0, "", "", ""
    method, path = ("POST", writes) if isinstance(what, Write) else ("GET", what)
    headers = {"Idempotency-Key": what.key} if isinstance(what, Write) else {}
    asked = what.body if isinstance(what, Write) else None
    try:
        async with connected.request(method, path, json=asked, headers=headers) as answer:
            body = await answer.read()
            status, request_id = answer.status, answer.headers.get("X-Request-ID", "")
            retry_after = answer.headers.get("Retry-After", "")
            if isinstance(what, Write) and status == CREATED:
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
