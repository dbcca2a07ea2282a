"""Entry point of the task `inv bench.http`."""

from contextlib import ExitStack

from packages.groundwork.benchmarks import command
from packages.groundwork.benchmarks.http import experiments, variants
from packages.groundwork.benchmarks.http.memory import Memory
from packages.groundwork.benchmarks.measure import Experiment
from packages.groundwork.benchmarks.production import checkout, stacks
from packages.groundwork.benchmarks.production.loads import Loads
from packages.groundwork.benchmarks.report import Page

PAGE = Page(
    "http",
    "bench.http",
    "A list of orders compared with a naive Flask route that gives the same response, the cost of each layer, and the "
    "memory of a worker.",
)
PACKAGES = ("gunicorn", "Flask", "pydantic", "SQLAlchemy", "psycopg", "orjson")


def everything(stack: ExitStack, orders: int, seconds: int, requests: int) -> list[Experiment]:
    """Return the experiments: the memory last, because its requests place orders."""
    copy = stack.enter_context(checkout.checkout())
    copy.build_contenders()
    copy.load(orders)
    started = stack.enter_context(stacks.stacks(copy, variants.TOGETHER))
    loads = Loads(copy, started, seconds)
    return [
        experiments.reading(loads, orders),
        experiments.layers(loads),
        experiments.remembering(Memory(copy, started, requests), requests),
    ]


if __name__ == "__main__":
    command.run(PAGE, PACKAGES, everything, "orders", "seconds", "requests")
