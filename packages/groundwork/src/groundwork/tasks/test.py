"""Task `inv test`: the test suite, in parallel, on a real PostgreSQL."""

import errno
import os
import sys

from invoke.context import Context
from invoke.tasks import task

from groundwork.system import paths, shell

STOP = "from groundwork.testing import server_lifecycle; server_lifecycle.discard_reused()"


@task(
    help={
        "reuse": "leave PostgreSQL running, so that the next run with --reuse starts faster",
        "keep": "keep PostgreSQL and the databases of failed tests until the next run with --keep",
        "stop": "run no tests; stop the PostgreSQL that --reuse or --keep left running",
    }
)
def test(_: Context, reuse: bool = False, keep: bool = False, stop: bool = False) -> None:
    """Run the tests in parallel, with coverage.

    Arguments after `--` go to pytest.

    Example: inv test -- tests/app -k stock -x
    """
    if not os.access(paths.ROOT, os.W_OK):
        raise OSError(errno.EACCES, "cannot be written", str(paths.ROOT))
    with shell.interruptible():
        if stop:
            shell.run([sys.executable, "-c", STOP], {})
        else:
            shell.serve(pytest_command(after_dashes(sys.argv), reuse=reuse, keep=keep), {})


def after_dashes(command_line: list[str]) -> list[str]:
    """Return the arguments after `--`. Invoke's remainder is one string without the quotes of `-k "a or b"`."""
    return command_line[command_line.index("--") + 1 :] if "--" in command_line else []


def pytest_command(arguments: list[str], *, reuse: bool = False, keep: bool = False) -> list[str]:
    """Return the command; the caller's arguments come last, since the last of two equal options counts."""
    switches = [name for name, is_on in (("--reuse", reuse), ("--keep", keep)) if is_on]
    parallel = ("--numprocesses", "auto")
    measured = ("--cov", "--cov-report", "term")
    report = ("-p", "groundwork.testing.progress", "--durations", "10", "--durations-min", "1")
    return shell.python("pytest", *parallel, *measured, *report, *switches, *arguments)
