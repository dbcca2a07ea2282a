"""Memory of a worker after many requests."""

from packages.groundwork.benchmarks.http.variants import WATCHED
from packages.groundwork.benchmarks.measure import Failed
from packages.groundwork.benchmarks.production import client
from packages.groundwork.benchmarks.production.checkout import Checkout
from packages.groundwork.benchmarks.production.client import Plan
from packages.groundwork.benchmarks.production.loads import CONNECTIONS, order, orders
from packages.groundwork.benchmarks.production.stacks import Stacks

FIRST = 1_000
AT_MOST_S = 3600
OF_EACH = 200  # different orders, with as many reads and as many failing requests in between
OF_WORKERS = "for worker in $(cat /proc/1/task/1/children); do grep VmRSS /proc/$worker/status; done"


class Memory:
    """Resident memory, in MB, of the only worker of a fresh replica."""

    def __init__(self, checkout: Checkout, stacks: Stacks, requests: int) -> None:
        self._stacks = stacks
        self._mixed = _mixed(checkout)
        self._requests = requests

    def at_first(self) -> float:
        return self._after(FIRST)

    def at_last(self) -> float:
        """Send the remaining requests after the first ones and return the memory."""
        return self._after(self._requests - FIRST)

    def _after(self, requests: int) -> float:
        port = self._stacks.serve(WATCHED)
        client.measure(Plan(port, self._mixed, AT_MOST_S, CONNECTIONS, at_most=requests, accepted="24"))
        told = self._stacks.run(WATCHED, "sh", "-c", OF_WORKERS).split()
        match told:
            case ["VmRSS:", kilobytes, "kB"]:
                return int(kilobytes) / 1024
        raise Failed(f"expected VmRSS of one worker in kB, got {told}")


def _mixed(checkout: Checkout) -> list[str]:
    """Return reads, orders and failing requests: without a token, invalid, or for missing entities."""
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
