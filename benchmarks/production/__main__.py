"""Runs the experiments; the task `inv bench.prod` calls it."""

from contextlib import ExitStack

from benchmarks import command
from benchmarks.measure import Experiment
from benchmarks.production import checkout, experiments, stacks, variants
from benchmarks.production.loads import ORDERS, Loads
from benchmarks.production.starts import Starts
from benchmarks.report import Page

PAGE = Page("production", "bench.prod", "What the production stack carries, and what it costs to start it.")
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
