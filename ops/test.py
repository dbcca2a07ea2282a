"""`inv test`: the suite, in parallel, on a real PostgreSQL."""

import os
import shlex

from invoke.context import Context
from invoke.tasks import task

from ops import shell


@task
def test(context: Context) -> None:
    """Run the suite in parallel, with coverage; pytest's own arguments follow `--`."""
    with shell.interruptible():
        shell.serve(pytest_command(shlex.split(context.remainder)), {})


def pytest_command(arguments: list[str]) -> list[str]:
    """Of options that are given twice pytest takes the last: the caller's win over ours."""
    workers = str(os.cpu_count() or 1)
    return shell.python("pytest", "--numprocesses", workers, "--cov", "--cov-report", "term", *arguments)
