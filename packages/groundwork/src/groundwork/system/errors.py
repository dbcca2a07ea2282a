"""Errors that end a task with a one-line message."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

try:
    from invoke.exceptions import Exit as Exit  # any program of invoke's prints its message and exits with its code
except ModuleNotFoundError:  # without the tasks, such as in a project that has the fixtures for its tests only

    class Exit(Exception):  # type: ignore[no-redef]
        def __init__(self, message: str = "", code: int = 1) -> None:
            super().__init__(message)
            self.message = message
            self.code = code


@contextmanager
def exit_on_os_error(consequence: str) -> Iterator[None]:
    """Turn an OSError, such as a full disk, into Exit with the consequence, the path and the reason."""
    try:
        yield
    except shutil.Error as error:  # lists every file that copytree could not copy, usually for the same reason
        raise Exit(f"{consequence}: {error.args[0][0][2]}", code=1) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Exit(f"{consequence}: {where}{error.strerror or error}", code=1) from None
