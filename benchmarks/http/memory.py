"""What a worker keeps in memory of what it has answered."""

from benchmarks.http.variants import WATCHED
from benchmarks.measure import Failed
from benchmarks.production import client
from benchmarks.production.checkout import Checkout
from benchmarks.production.client import Plan
from benchmarks.production.loads import CONNECTIONS, order, orders
from benchmarks.production.stacks import Stacks

FIRST = 1_000
AT_MOST_S = 3600
OF_EACH = 200  # different orders, and as many reads and refusals between them
OF_WORKERS = "for worker in $(cat /proc/1/task/1/children); do grep VmRSS /proc/$worker/status; done"


class Memory:
    """Of the one worker of a replica that has answered nothing before; in MB."""

    def __init__(self, checkout: Checkout, stacks: Stacks, requests: int) -> None:
        self._stacks = stacks
        self._mixed = _mixed(checkout)
        self._requests = requests

    def at_first(self) -> float:
        return self._after(FIRST)

    def at_last(self) -> float:
        """After those at first, and the others."""
        return self._after(self._requests - FIRST)

    def _after(self, requests: int) -> float:
        port = self._stacks.serve(WATCHED)
        client.measure(Plan(port, self._mixed, AT_MOST_S, CONNECTIONS, at_most=requests, accepted="24"))
        told = self._stacks.run(WATCHED, "sh", "-c", OF_WORKERS).split()
        match told:
            case ["VmRSS:", kilobytes, "kB"]:
                return int(kilobytes) / 1024
        raise Failed(f"one worker should tell its memory, got {told}")


def _mixed(checkout: Checkout) -> list[str]:
    """Reads, orders, and what is refused: nobody's, wrong, of nothing."""
    token = checkout.token
    refused = [
        client.get("/api/orders"),
        client.get("/api/orders?limit=0", token),
        client.get("/api/products/9223372036854775807", token),
        client.post("/api/orders", {"lines": []}, token),
        order(checkout, 9223372036854775807, [1]),
        order(checkout, 1, [9223372036854775807], once=True),
    ]
    placed = orders(checkout, once=True)[:OF_EACH]
    read = client.get("/api/orders?limit=20", token)
    return [each for number, new in enumerate(placed) for each in (read, new, refused[number % len(refused)])]
