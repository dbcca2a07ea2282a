"""Commands of the project that tasks and tests run."""

import shlex

from groundwork.contract import PROJECT
from groundwork.system import paths, shell


def migrate() -> list[str]:
    """Return the command that migrates the database of its environment to the newest revision."""
    return shell.python(*shlex.split(PROJECT.upgrade))


def serve() -> list[str]:
    """Return the command of Flask's development server."""
    app = "wsgi" if (paths.ROOT / "wsgi.py").is_file() else PROJECT.application
    return shell.python("flask", "--app", app, "run")
