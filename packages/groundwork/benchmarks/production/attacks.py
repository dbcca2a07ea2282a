"""Response times during attacks from one address on the running stack.

Run `python -m packages.groundwork.benchmarks.production.attacks`.

Attacker and client are containers on the proxy's network, so that each has its own address. A container runs only
this file, by its path: code before `main` imports nothing but the standard library.
"""

import asyncio
import contextlib
import itertools
import json
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine

SECONDS, PAUSE, RAMP = 12, 0.1, 8
"""Seconds: how long the client reads, pause between its requests, and time for an attack to take effect."""
IMAGE = "python:3.13-slim"


class Target:
    def __init__(self, host: str, port: str, tls: str) -> None:
        self.host, self.port = host, int(port)
        self.tls = ssl._create_unverified_context() if tls == "tls" else None  # noqa: S323  the certificate may be self-signed
        self.sent = itertools.count()

    async def send(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self.tls)
        writer.write(data)
        await writer.drain()
        return reader, writer

    async def ask(self, data: bytes) -> bytes:
        reader, writer = await self.send(data)
        try:
            return await reader.read()
        finally:
            writer.close()


Attack = Callable[[Target], Coroutine[None, None, None]]


def held(connections: int, data: bytes = b"") -> Attack:
    """Return an attack that holds connections, each with an unfinished request, and reopens closed ones."""

    async def hold(target: Target) -> None:
        while True:
            try:
                await target.ask(data)
            except OSError:
                await asyncio.sleep(0.1)

    async def attack(target: Target) -> None:
        await asyncio.gather(*(hold(target) for _ in range(connections)))

    return attack


def sent(per_second: int, request: Callable[[int], bytes]) -> Attack:
    """Return an attack that sends requests at a constant rate, whether or not earlier ones have finished."""

    async def attack(target: Target) -> None:
        async def once() -> None:
            with contextlib.suppress(OSError):
                await target.ask(request(next(target.sent)))

        pending = set()
        while True:
            task = asyncio.create_task(once())
            pending.add(task)
            task.add_done_callback(pending.discard)
            await asyncio.sleep(1 / per_second)

    return attack


def posted(path: str, body: bytes, length: int = 0) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {length or len(body)}\r\n\r\n".encode() + body


def registration(email: str) -> bytes:
    return posted(
        "/api/users", json.dumps({"email": email, "name": "Eve", "password": "correct horse battery"}).encode()
    )


HEADERS = b"GET / HTTP/1.1\r\nHost: shop\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 7_600) for n in range(3))
UNKNOWN_KEYS = json.dumps({f"key-{number}": 1 for number in range(4_000)}).encode()
ATTACKS: dict[str, Attack] = {
    "4,500 connections with 24 kB of unfinished headers": held(4_500, HEADERS),
    "4,500 connections with 15 kB of unfinished headers": held(4_500, HEADERS[:15_000]),
    "5,000 idle connections": held(5_000),
    "45 POSTs a second of 64 kB, unfinished": sent(45, lambda _: posted("/api/orders", b"x" * 65_000, 65_536)),
    "50 registrations a second": sent(50, lambda number: registration(f"{time.time_ns()}-{number}@example.com")),
    "50 registrations a second of one address": sent(50, lambda _: registration("taken@example.com")),
    "50 POSTs a second of 60 kB of unknown keys": sent(50, lambda _: posted("/api/users", UNKNOWN_KEYS)),
}


async def begin(attack: Attack, target: Target) -> None:
    """Run the attack. Print a line once RAMP seconds have passed and it has its effect."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(attack(target))
        await asyncio.sleep(RAMP)
        print("attacking", flush=True)


async def read(target: Target) -> None:
    """Print the median time of a read in ms, the failures and the total. Each read opens a connection."""
    took, end = [], time.monotonic() + SECONDS
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            answer = await asyncio.wait_for(
                target.ask(b"GET /api/products HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"), timeout=10
            )
            answered = answer.startswith(b"HTTP/1.1 200 ")
        except (OSError, TimeoutError):
            answered = False
        took.append((time.monotonic() - begun) * 1000 if answered else 10_000)
        await asyncio.sleep(PAUSE)
    print(statistics.median(took), sum(each == 10_000 for each in took), len(took))


def main() -> None:
    from groundwork.production import stack

    settings = stack.known()
    tls = ["8443", "tls"] if stack.has_tls(settings) else ["8080", "plain"]

    def start(*arguments: str) -> list[str]:
        mounted = ["--volume", f"{__file__}:/attacks.py:ro", "--network", stack.FRONT]
        return ["docker", "run", "--rm", *mounted, IMAGE, "python", "/attacks.py", "proxy", *tls, *arguments]

    def measure() -> tuple[float, int, int]:
        middle, failed, count = subprocess.check_output(start("read"), text=True).split()
        return float(middle), int(failed), int(count)

    print("| Attack, from one address | p50 idle, ms | p50 then, ms | Ratio | Failed | Killed | Memory of the proxy |")
    print("|---|---|---|---|---|---|---|")
    for name in [each for each in ATTACKS if not sys.argv[1:] or any(word in each for word in sys.argv[1:])]:
        before = {each.id: each.started for each in stack.containers()}
        idle, _, _ = measure()
        # Half of a processor: a real attacker would not use this machine's.
        kept = ["docker", "run", "--detach", "--cpus", "0.5", *start("attack", name)[3:]]
        attacker = subprocess.check_output(kept, text=True).strip()
        try:
            with subprocess.Popen(["docker", "logs", "--follow", attacker], stdout=subprocess.PIPE) as told_of:
                told_of.stdout.readline()  # type: ignore[union-attr]  # it is a pipe
                told_of.kill()
            middle, failed, count = measure()
            stats = ["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", stack.only("proxy").id]
            memory = subprocess.check_output(stats, text=True).partition(" /")[0]
        finally:
            subprocess.run(["docker", "rm", "--force", attacker], stdout=subprocess.DEVNULL, check=True)
        log = subprocess.run(["docker", "logs", stack.only("proxy").id], capture_output=True, text=True, check=True)
        killed = {each.id: each.started for each in stack.containers()} != before or "exited on signal" in log.stderr
        told = f"{idle:.1f} | {middle:.1f} | {middle / idle:.1f} | {failed} of {count} | {'yes' if killed else 'no'}"
        print(f"| {name} | {told} | {memory} |", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [host, port, tls, "read"]:
            asyncio.run(read(Target(host, port, tls)))
        case [host, port, tls, "attack", name]:
            asyncio.run(begin(ATTACKS[name], Target(host, port, tls)))
        case _:
            main()
