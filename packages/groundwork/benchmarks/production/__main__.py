"""Entry point of the task `inv bench.prod`."""

from contextlib import ExitStack

from packages.groundwork.benchmarks import command
from packages.groundwork.benchmarks.measure import Experiment
from packages.groundwork.benchmarks.production import checkout, experiments, stacks, variants
from packages.groundwork.benchmarks.production.loads import ORDERS, Loads
from packages.groundwork.benchmarks.production.starts import Starts
from packages.groundwork.benchmarks.report import Page

PAGE = Page(
    "production",
    "bench.prod",
    "The load that the production stack serves, and the time that it takes to start.",
)
PACKAGES = ("gunicorn", "Flask", "SQLAlchemy", "psycopg")


def everything(stack: ExitStack, seconds: int) -> list[Experiment]:
    copy = stack.enter_context(checkout.checkout())
    copy.build_contenders()
    copy.load(ORDERS)
    started = stack.enter_context(stacks.stacks(copy, variants.TOGETHER))
    loads, starts = Loads(copy, started, seconds), Starts(copy, started)
    return [
        experiments.ceiling(loads),
        *experiments.whole_stack(loads),
        *experiments.worker_classes(loads),
        *experiments.growth(loads),
        experiments.starting(starts),
        experiments.building(starts),
    ]


if __name__ == "__main__":
    command.run(PAGE, PACKAGES, everything, "seconds")
