"""Task `inv lint`: the static checks."""

from collections.abc import Sequence

from invoke.context import Context
from invoke.tasks import task

from groundwork.system import shell
from groundwork.system.errors import Exit

CHECKS = {
    "ruff check": shell.python("ruff", "check"),
    "ruff format": shell.python("ruff", "format", "--check"),
    "mypy": shell.python("mypy"),
    "bandit": shell.python("bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", "."),
    "config.check": shell.python("invoke", "config.check"),
    "config.parity": shell.python("invoke", "config.parity", "--offline"),
    "db.lint": shell.python("invoke", "db.lint"),
}
"""Commands by the names that messages use. The pre-commit hook and the pipelines run exactly these."""
FIXES = (shell.python("ruff", "check", "--fix"), shell.python("ruff", "format"))


@task(help={"fix": "first apply ruff's automatic fixes and formatting"})
def lint(_: Context, fix: bool = False) -> None:
    """Check code, types, configuration and migrations.

    It runs every check, even if one fails.

    Example: inv lint --fix
    """
    with shell.interruptible():
        if fix:
            for command in FIXES:
                _passes(command)
        failed = [name for name, command in CHECKS.items() if not _passes(command)]
    if failed:
        raise Exit(f"lint: failed: {', '.join(failed)} (inv lint --fix applies ruff's automatic fixes)", code=1)


def _passes(command: Sequence[str]) -> bool:
    try:
        shell.run(command, {})
    except Exit:
        return False
    return True
