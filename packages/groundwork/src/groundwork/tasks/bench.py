"""Tasks `inv bench.…`: the benchmarks of docs/benchmarks."""

import sys

from invoke.context import Context
from invoke.tasks import task

from groundwork.production import stack
from groundwork.system import locks, paths, shell
from groundwork.system.errors import Exit
from groundwork.tasks import arguments

FOLDER = "packages/groundwork/benchmarks"
SECONDS_TO_STOP = 60  # a benchmark that is killed earlier would leave containers behind
OPTIONS = {
    "rounds": "number of rounds; each candidate runs once per round",
    "write": "update the page of the task in docs/benchmarks, and its plots",
}


@task(help={"tests": "number of tests in a timed suite", **OPTIONS})
def tests(_: Context, tests: str = "1000", rounds: str = "5", write: bool = False) -> None:
    """Benchmark test isolation; takes an hour.

    It measures the cost of the database, with this project's fixtures and with
    the usual alternatives.

    Example: inv bench.tests --tests 200 --rounds 3
    """
    _run("suite", tests=tests, rounds=rounds, write=write)


@task(help={"orders": "number of orders in a loaded scenario; 3.5 rows each", **OPTIONS})
def scenarios(_: Context, orders: str = "270000", rounds: str = "5", write: bool = False) -> None:
    """Benchmark scenario loading; takes 10 minutes.

    It measures the cost of filling a database with data: the first load, and the
    later clones.

    Example: inv bench.scenarios --orders 10000
    """
    _run("scenarios", orders=orders, rounds=rounds, write=write)


@task(
    help={
        "orders": "number of orders in the snapshot; 3.5 rows each",
        "together": "number of concurrent migrations",
        **OPTIONS,
    }
)
def db(_: Context, orders: str = "270000", together: str = "20", rounds: str = "5", write: bool = False) -> None:
    """Benchmark migrations and snapshots; takes 5 minutes.

    It measures the cost of migrations, snapshots and restores.

    Example: inv bench.db --rounds 3
    """
    _run("databases", orders=orders, together=together, rounds=rounds, write=write)


@task(help={"seconds": "duration of each measurement", **OPTIONS})
def prod(_: Context, seconds: str = "3", rounds: str = "4", write: bool = False) -> None:
    """Benchmark the production stack; takes 10 minutes.

    It measures the load that the stack serves, and the time that it takes to
    start.

    Example: inv bench.prod --seconds 5
    """
    stack.known()
    _run("production", seconds=seconds, rounds=rounds, write=write)


@task(
    help={
        "orders": "number of orders in the database",
        "seconds": "duration of each measurement",
        "requests": "number of requests before the last measurement of memory",
        **OPTIONS,
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
    """Benchmark the API and its memory; takes 20 minutes.

    It measures the cost of the API compared with bare routes, the cost of each
    layer, and the memory of a worker.

    Example: inv bench.http --orders 100000
    """
    stack.known()
    arguments.number("requests", requests, least=2000)
    _run("http", orders=orders, seconds=seconds, requests=requests, rounds=rounds, write=write)


def _run(name: str, *, write: bool, **numbers: str) -> None:
    if not (paths.ROOT / FOLDER).is_dir():
        raise Exit(f"{FOLDER}: there is no such folder: only the repository of the package has the benchmarks", code=1)
    options = [part for key, text in numbers.items() for part in (f"--{key}", str(arguments.number(key, text)))]
    with shell.interruptible(), locks.exclusive(paths.LOCAL / "benchmarks.lock", "another benchmark is running here"):
        shell.serve(
            [
                *("uv", "run", "--locked", "--quiet", "--group", "benchmarks", "--python", sys.executable),
                *("python", "-m", f"{FOLDER.replace('/', '.')}.{name}", *options, *(["--write"] if write else [])),
            ],
            {
                # A separate environment: the candidates bring pytest plugins, which every test run would load.
                "UV_PROJECT_ENVIRONMENT": str(paths.LOCAL / "benchmarks"),
                # Compile the bytecode during installation, so that no timed run does it.
                "UV_COMPILE_BYTECODE": "1",
                "PYTHONDONTWRITEBYTECODE": "",
            },
            grace_seconds=SECONDS_TO_STOP,
        )
