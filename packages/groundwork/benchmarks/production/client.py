"""Load client with keep-alive connections. Each connection sends its next request after the previous response.

It is lean, because it shares the processors with the measured stack: no event loop, no objects for requests and
responses. As a program, it reads a plan from standard input and writes the result to standard output.
"""

import json
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from statistics import quantiles
from time import perf_counter
from uuid import uuid4

from groundwork.system import paths
from packages.groundwork.benchmarks.measure import Failed

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\nContent-Length: "
NEW_KEY = "{a new key}"
CLOSING = b"\r\nConnection: close\r\n"
WARM_UP = 0.4  # seconds that do not count, for connections and pools


@dataclass(frozen=True)
class Plan:
    port: int
    requests: Sequence[str]
    """Complete requests, head and body, sent in turn."""
    seconds: float
    connections: int
    at_most: int | None = None
    """Maximum number of requests."""
    accepted: str = "2"
    """First digits of the statuses that count as success."""


@dataclass
class Answers:
    seconds: float
    """Measured seconds, without the warm-up."""
    latencies: list[float] = field(default_factory=list)
    """Latencies in seconds of successful requests in this time."""
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, of_a_hundred: int) -> float:
        """Return a percentile in milliseconds. With fewer than two responses, return the measured time."""
        if len(self.latencies) < 2:
            return self.seconds * 1000
        return quantiles(self.latencies, n=100, method="inclusive")[of_a_hundred - 1] * 1000


def get(path: str, token: str = "") -> str:
    return f"GET {path} HTTP/1.1\r\n{_headers(token)}\r\n"


def post(path: str, body: object, token: str = "", *, once: bool = False) -> str:
    """Return a POST request. `once` adds an Idempotency-Key, which is new each time the request is sent."""
    text = json.dumps(body)
    about = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n"
    about += f"Idempotency-Key: {NEW_KEY}\r\n" if once else ""
    return f"POST {path} HTTP/1.1\r\n{_headers(token)}{about}\r\n{text}"


def start(plan: Plan) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "packages.groundwork.benchmarks.production.client"],
        cwd=paths.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin  # noqa: S101  for mypy
    process.stdin.write(json.dumps(asdict(plan)))
    process.stdin.close()
    process.stdin = None  # or communicate() would close it again
    return process


def measure(plan: Plan) -> Answers:
    """Run the plan in a new process. Raise Failed if any request gets no response or an unaccepted status."""
    answers = finish(start(plan))
    if answers.failures:
        raise Failed(f"{len(answers.latencies)} requests succeeded, others failed: {answers.failures}")
    return answers


def finish(process: "subprocess.Popen[str]") -> Answers:
    """Wait for the client and return its result. Raise Failed if it exits with an error."""
    with process:
        told, _ = process.communicate()
    if process.returncode:
        raise Failed(f"the load client exited with code {process.returncode}")
    return Answers(**json.loads(told))


class Connection:
    """Keep-alive connection that reconnects when the server closes it."""

    def __init__(
        self, plan: Plan, requests: Iterator[bytes], answers: Answers, selector: selectors.BaseSelector
    ) -> None:
        self._plan, self._requests, self._answers, self._selector = plan, requests, answers, selector
        self.counts = False
        self._connect()

    def receive(self) -> None:
        try:
            received = self._socket.recv(262144)
        except ConnectionError as error:
            self._lost(type(error).__name__)
            return
        if not received:
            self._lost("connection closed without a response")
            return
        self._received += received
        head = self._received.find(HEAD_END)
        if head < 0:
            return
        length = self._received.find(LENGTH, 0, head)
        if length < 0:
            raise ValueError(f"a response without Content-Length: {self._received[:head]!r}")
        end = self._received.find(b"\r", length + len(LENGTH))
        if len(self._received) - head - len(HEAD_END) >= int(self._received[length + len(LENGTH) : end]):
            self._answered(self._received[:head])

    def _answered(self, head: bytes) -> None:
        status = head[9:12]
        if chr(status[0]) not in self._plan.accepted:
            self._failed(status.decode())
        elif self.counts:
            self._answers.latencies.append(perf_counter() - self._sent)
        if CLOSING in head + b"\r\n":
            self._close()
            self._connect()
        else:
            self._send()

    def _lost(self, why: str) -> None:
        self._failed(why)
        self._close()
        self._connect()

    def _failed(self, why: str) -> None:
        self._answers.failures[why] = self._answers.failures.get(why, 0) + 1

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._plan.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._send()

    def _close(self) -> None:
        self._selector.unregister(self._socket)
        self._socket.close()

    def _send(self) -> None:
        """Send the next request, or close the connection if none is left."""
        request = next(self._requests, None)
        if request is None:
            self._close()
            return
        self._received = b""
        self._sent = perf_counter()
        self._socket.sendall(request)


def run(plan: Plan) -> Answers:
    answers = Answers(plan.seconds)
    requests = islice(_endless(plan.requests), plan.at_most)
    with selectors.DefaultSelector() as selector:
        connections = [Connection(plan, requests, answers, selector) for _ in range(plan.connections)]
        _receive(selector, until=perf_counter() + WARM_UP)
        for connection in connections:
            connection.counts = True
        _receive(selector, until=perf_counter() + plan.seconds)
    return answers


def _endless(requests: Sequence[str]) -> Iterator[bytes]:
    """Yield the requests in a cycle. Idempotency keys are unique: a random ID of this process and a number."""
    new_key, process = NEW_KEY.encode(), uuid4().hex.encode()
    for number, request in enumerate(cycle([request.encode() for request in requests])):
        yield request.replace(new_key, b"%s-%d" % (process, number)) if new_key in request else request


def _receive(selector: selectors.BaseSelector, until: float) -> None:
    while selector.get_map() and (left := until - perf_counter()) > 0:
        for key, _ in selector.select(left):
            key.data.receive()


def _headers(token: str) -> str:
    return "Host: localhost\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")


if __name__ == "__main__":
    print(json.dumps(asdict(run(Plan(**json.load(sys.stdin))))))
