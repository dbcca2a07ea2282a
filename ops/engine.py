"""The Docker Engine of this machine: is there one, and can it have the images we need?"""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from ops import shell

SECONDS_TO_ANSWER = 10
NOT_INSTALLED = "docker is not installed"


class NoEngine(Exception):
    """Why containers cannot be used here, in a few words for the user."""


def why_impossible() -> str | None:
    """Why no engine can answer, as far as that is seen without asking: docker takes a tenth of a second to say so."""
    host = os.environ.get("DOCKER_HOST", "")
    if shutil.which("docker") is None:
        return NOT_INSTALLED
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return f"no Docker Engine answers (there is no {host})"
    return None


def require(*images: str) -> None:
    """Return once the engine has the images, pulled where they are missing. Raises NoEngine."""
    if reason := why_impossible():
        raise NoEngine(reason)
    if _docker("image", "inspect", "--format", "{{.Id}}", *images).returncode == 0:
        return
    answered = _docker("version", "--format", "{{.Server.Version}}")
    if answered.returncode:
        raise NoEngine(f"no Docker Engine answers ({_complaint(answered)})")
    for image in images:
        if _docker("image", "inspect", image).returncode:
            shell.note(f"pulling {image}")
            pulled = subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, text=True, check=False)
            if pulled.returncode:
                raise NoEngine(f"it has no image {image} and cannot pull it ({_complaint(pulled)})")


def require_compose() -> None:
    """Raise NoEngine if the Compose plugin is missing. This asks the docker client alone, no engine."""
    if _docker("compose", "version").returncode:
        raise NoEngine("docker has no Compose plugin")


@cache
def user() -> str:
    """The `uid:gid` under which a container writes files of the calling user's.

    Under a rootless engine, that is the container's root. Without an engine, assume that it is not rootless.
    """
    if not hasattr(os, "getuid"):
        return "0:0"
    try:
        options = _docker("info", "--format", "{{json .SecurityOptions}}").stdout
    except NoEngine:
        options = ""
    return "0:0" if "name=rootless" in options else f"{os.getuid()}:{os.getgid()}"


def _complaint(failed: "subprocess.CompletedProcess[str]") -> str:
    """The last line, which says why, without the address of the request that failed."""
    last = (failed.stderr.strip().splitlines() or ["no reason given"])[-1]
    return re.sub(r'Get "[^"]*": ', "", last).rstrip(".")


def _docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Raise NoEngine if docker cannot be run or does not answer in time."""
    try:
        return subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, check=False, timeout=SECONDS_TO_ANSWER
        )
    except FileNotFoundError:
        raise NoEngine(NOT_INSTALLED) from None
    except subprocess.TimeoutExpired:
        raise NoEngine(f"the Docker Engine did not answer within {SECONDS_TO_ANSWER} s") from None
