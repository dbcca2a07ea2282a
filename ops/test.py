"""`inv test`: the suite, in parallel, on a real PostgreSQL."""

import os
import sys

from invoke.context import Context
from invoke.tasks import task

from ops import shell


@task
def test(_: Context) -> None:
    """Run the suite in parallel, with coverage; pytest's own arguments follow `--`."""
    with shell.interruptible():
        shell.serve(pytest_command(after_dashes(sys.argv)), {})


def after_dashes(command_line: list[str]) -> list[str]:
    """As they were typed: invoke's own remainder is one text, in which `-k "a or b"` has lost its quotes."""
    return command_line[command_line.index("--") + 1 :] if "--" in command_line else []


def pytest_command(arguments: list[str]) -> list[str]:
    """Of options that are given twice pytest takes the last: the caller's win over ours."""
    workers = str(os.cpu_count() or 1)
    return shell.python("pytest", "--numprocesses", workers, "--cov", "--cov-report", "term", *arguments)
