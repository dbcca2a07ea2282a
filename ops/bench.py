"""`inv bench.…`: the measurements that docs/benchmarks shows."""

import sys

from invoke.context import Context
from invoke.tasks import task

from ops import alone, options, project, shell, stack

SECONDS_TO_END_STACKS = 60  # one that is killed earlier would leave containers behind
ROUNDS = {"rounds": "how often each contender has its turn", "write": "write the page in docs/benchmarks and its plots"}


@task(help={"tests": "how many, where a whole suite is timed", **ROUNDS})
def tests(_: Context, tests: str = "1000", rounds: str = "5", write: bool = False) -> None:
    """Measure what isolated tests cost; an hour.

    In our ways and in those of others.

    Example: inv bench.tests --tests 200 --rounds 3
    """
    _run("benchmarks.suite", tests=tests, rounds=rounds, write=write)


@task(help={"orders": "how many, where a scenario is loaded; they have three rows and a half each", **ROUNDS})
def scenarios(_: Context, orders: str = "270000", rounds: str = "5", write: bool = False) -> None:
    """Measure what loading a scenario costs; 10 minutes.

    And what it costs to have it again.

    Example: inv bench.scenarios --orders 10000
    """
    _run("benchmarks.scenarios", orders=orders, rounds=rounds, write=write)


@task(
    help={
        "orders": "how many, in the database that is kept; they have three rows and a half each",
        "together": "how many migrate at once",
        **ROUNDS,
    }
)
def db(_: Context, orders: str = "270000", together: str = "20", rounds: str = "5", write: bool = False) -> None:
    """Measure what migrating costs; 5 minutes.

    And what it costs to have the database again as it was.

    Example: inv bench.db --rounds 3
    """
    _run("benchmarks.databases", orders=orders, together=together, rounds=rounds, write=write)


@task(help={"seconds": "how long each measurement takes", **ROUNDS})
def prod(_: Context, seconds: str = "3", rounds: str = "4", write: bool = False) -> None:
    """Measure what production carries; 10 minutes.

    And what it costs to start it.

    Example: inv bench.prod --seconds 5
    """
    stack.known()
    _run("benchmarks.production", seconds=seconds, rounds=rounds, write=write)


@task(
    help={
        "orders": "how many are in the database",
        "seconds": "how long each measurement takes",
        "requests": "how many a worker answers until its memory is looked at again",
        **ROUNDS,
    }
)
def http(
    _: Context,
    orders: str = "1000000",
    seconds: str = "3",
    requests: str = "100000",
    rounds: str = "5",
    write: bool = False,
) -> None:
    """Measure what the API costs; 20 minutes.

    Beside the least that answers the same, and its memory.

    Example: inv bench.http --orders 100000
    """
    stack.known()
    options.number("requests", requests, least=2000)
    _run("benchmarks.http", orders=orders, seconds=seconds, requests=requests, rounds=rounds, write=write)


def _run(package: str, *, write: bool, **numbers: str) -> None:
    given = [part for name, text in numbers.items() for part in (f"--{name}", str(options.number(name, text)))]
    with shell.interruptible(), alone.alone(project.LOCAL / "benchmarks.lock", "another benchmark measures here"):
        shell.serve(
            [
                *("uv", "run", "--locked", "--quiet", "--group", "benchmarks", "--python", sys.executable),
                *("python", "-m", package, *given, *(["--write"] if write else [])),
            ],
            {
                # An environment of its own: what only the contenders need would load itself into every run of pytest.
                "UV_PROJECT_ENVIRONMENT": str(project.LOCAL / "benchmarks"),
                # Compiled once, as it is on a developer's machine, and not again by every run that is timed.
                "UV_COMPILE_BYTECODE": "1",
                "PYTHONDONTWRITEBYTECODE": "",
            },
            seconds_to_end=SECONDS_TO_END_STACKS,
        )
