"""Runs the experiments; the task `inv bench.http` calls it."""

from contextlib import ExitStack

from benchmarks import command
from benchmarks.http import experiments, variants
from benchmarks.http.memory import Memory
from benchmarks.measure import Experiment
from benchmarks.production import checkout, stacks
from benchmarks.production.loads import Loads
from benchmarks.report import Page

PAGE = Page("http", "bench.http", "What the API costs beside the least that answers the same, and what it remembers.")
PACKAGES = ("gunicorn", "Flask", "pydantic", "SQLAlchemy", "psycopg", "orjson")


def everything(stack: ExitStack, orders: int, seconds: int, requests: int) -> list[Experiment]:
    """Orders after reads: the newest are what is read."""
    copy = stack.enter_context(checkout.checkout())
    copy.build_contenders()
    copy.load(orders)
    started = stack.enter_context(stacks.stacks(copy, variants.TOGETHER))
    loads = Loads(copy, started, seconds)
    return [
        experiments.reading(loads, orders),
        experiments.layers(loads),
        experiments.ordering(loads),
        experiments.remembering(Memory(copy, started, requests), requests),
    ]


if __name__ == "__main__":
    command.run(PAGE, PACKAGES, everything, "orders", "seconds", "requests")
