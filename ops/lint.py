"""`inv lint`: what can be said of the code without running it."""

from collections.abc import Sequence

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import shell

CHECKS = {
    "ruff check": shell.python("ruff", "check"),
    "ruff format": shell.python("ruff", "format", "--check"),
    "mypy": shell.python("mypy"),
    "bandit": shell.python("bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", "."),
    "config.check": shell.python("invoke", "config.check"),
    "config.parity": shell.python("invoke", "config.parity", "--offline"),
    "db.lint": shell.python("invoke", "db.lint"),
}
"""By the names that they are told of by. The hook before a commit and each pipeline have these and no others."""
FIXES = (shell.python("ruff", "check", "--fix"), shell.python("ruff", "format"))


@task(help={"fix": "first mend what ruff can mend"})
def lint(_: Context, fix: bool = False) -> None:
    """Look for mistakes in code, types, configuration.

    And in the migrations; all that are found are shown.

    Example: inv lint --fix
    """
    with shell.interruptible():
        if fix:
            for command in FIXES:
                _passes(command)
        failed = [name for name, command in CHECKS.items() if not _passes(command)]
    if failed:
        raise Exit(f"lint: not passed: {', '.join(failed)} (inv lint --fix mends what ruff can mend)", code=1)


def _passes(command: Sequence[str]) -> bool:
    try:
        shell.run(command, {})
    except Exit:
        return False
    return True
