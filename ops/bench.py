"""`inv bench.…`: the measurements that docs/benchmarks.md shows."""

import sys

from invoke.context import Context
from invoke.tasks import task

from ops import project, shell


@task(
    help={
        "tests": "how many, where a whole suite is timed",
        "rounds": "how often each contender has its turn",
        "write": "write docs/benchmarks.md and its plots",
    }
)
def tests(_: Context, tests: int = 1000, rounds: int = 5, write: bool = False) -> None:
    """Measure what isolated tests cost, in our ways and in those of others; an hour."""
    options = ["--tests", str(tests), "--rounds", str(rounds), *(["--write"] if write else [])]
    with shell.interruptible():
        shell.serve(
            [
                *("uv", "run", "--locked", "--quiet", "--group", "benchmarks", "--python", sys.executable),
                *("python", "-m", "benchmarks.suite", *options),
            ],
            {
                # An environment of its own: what only the contenders need would load itself into every run of pytest.
                "UV_PROJECT_ENVIRONMENT": str(project.LOCAL / "benchmarks"),
                # Compiled once, as it is on a developer's machine, and not again by every run that is timed.
                "UV_COMPILE_BYTECODE": "1",
                "PYTHONDONTWRITEBYTECODE": "",
            },
        )
