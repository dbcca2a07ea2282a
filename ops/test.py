"""`inv test`: the suite, in parallel, on a real PostgreSQL."""

import errno
import os
import sys

from invoke.context import Context
from invoke.tasks import task

from ops import project, shell

STOP = "from tests import throwaway; throwaway.discard_reused()"


@task(
    help={
        "reuse": "leave PostgreSQL running, so that the next run with --reuse starts at once",
        "keep": "keep the databases of failed tests, and PostgreSQL with them, until the next such run",
        "stop": "run nothing, but end what --reuse or --keep left running",
    }
)
def test(_: Context, reuse: bool = False, keep: bool = False, stop: bool = False) -> None:
    """Run the tests in parallel, with coverage.

    pytest's own arguments follow `--`.

    Example: inv test -- tests/app -k stock -x
    """
    if not os.access(project.ROOT, os.W_OK):
        raise OSError(errno.EACCES, "cannot be written", str(project.ROOT))
    with shell.interruptible():
        if stop:
            shell.run([sys.executable, "-c", STOP], {})
        else:
            shell.serve(pytest_command(after_dashes(sys.argv), reuse=reuse, keep=keep), {})


def after_dashes(command_line: list[str]) -> list[str]:
    """As they were typed: invoke's own remainder is one text, in which `-k "a or b"` has lost its quotes."""
    return command_line[command_line.index("--") + 1 :] if "--" in command_line else []


def pytest_command(arguments: list[str], *, reuse: bool = False, keep: bool = False) -> list[str]:
    """Of options that are given twice pytest takes the last: the caller's win over ours."""
    switches = [name for name, is_on in (("--reuse", reuse), ("--keep", keep)) if is_on]
    parallel = ("--numprocesses", "auto")
    measured = ("--cov", "--cov-report", "term")
    shown = ("-p", "tests.progress", "--durations", "10", "--durations-min", "1")
    return shell.python("pytest", *parallel, *measured, *shown, *switches, *arguments)
