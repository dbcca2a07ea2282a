"""PATH for one test, so that tests do not depend on the programs of the machine."""

import shutil
from pathlib import Path


def make(folder: Path, *installed: str, **scripts: str) -> str:
    """Return a PATH with these programs of the machine and these shell scripts, such as `docker="exit 1"`."""
    folder.mkdir()
    for name in installed:
        program = shutil.which(name)
        assert program, f"there is no {name} on PATH"
        (folder / name).symlink_to(program)
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)
