"""Debian's container registry for image pushes: from PATH, or unpacked from its package."""

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

PROGRAM = "docker-registry"


def why_none() -> str | None:
    """Return why there is no registry, or None. The download needs apt-get and a mirror, but no privileges."""
    found = _found()
    return None if isinstance(found, Path) else found


def program() -> Path:
    found = _found()
    assert isinstance(found, Path), found
    return found


@cache
def _found() -> Path | str:
    if installed := shutil.which(PROGRAM):
        return Path(installed)
    if not shutil.which("apt-get"):
        return f"there is no {PROGRAM} on PATH, and no apt-get to download it with"
    folder = tempfile.mkdtemp(prefix=f"{PROGRAM}-")
    atexit.register(shutil.rmtree, folder)
    for command in (["apt-get", "download", PROGRAM], ["sh", "-c", f"dpkg-deb -x {PROGRAM}_*.deb ."]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"Debian's {PROGRAM} cannot be downloaded: {done.stderr.strip().splitlines()[-1]}"
    return Path(folder, "usr", "bin", PROGRAM)
