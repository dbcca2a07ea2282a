"""What a disk refuses, in a line."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from invoke.exceptions import Exit


@contextmanager
def failures(otherwise: str) -> Iterator[None]:
    """Raises Exit with what is said `otherwise`, and where the disk is full or refuses something else."""
    try:
        yield
    except shutil.Error as several:  # of a folder that is copied: a file each, all for one reason
        raise Exit(f"{otherwise}: {several.args[0][0][2]}", code=1) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Exit(f"{otherwise}: {where}{error.strerror or error}", code=1) from None
