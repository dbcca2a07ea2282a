"""Access to the Docker Engine: availability, images, and the user of its containers."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from groundwork.system import shell

TIMEOUT_SECONDS = 10
NOT_INSTALLED = "docker is not installed"


class NoEngine(Exception):
    """Containers cannot be used. The message gives the reason."""


def find_obstacle() -> str | None:
    """Return why no engine can answer, as far as the PATH and the socket show. Running docker would take 0.1 s."""
    host = os.environ.get("DOCKER_HOST", "")
    if shutil.which("docker") is None:
        return NOT_INSTALLED
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return f"no Docker Engine answers ({host} does not exist)"
    return None


def require(*images: str) -> None:
    """Pull the images that the engine lacks. Raises NoEngine."""
    if reason := find_obstacle():
        raise NoEngine(reason)
    if _docker("image", "inspect", "--format", "{{.Id}}", *images).returncode == 0:
        return
    version = _docker("version", "--format", "{{.Server.Version}}")
    if version.returncode:
        raise NoEngine(f"no Docker Engine answers ({_error_message(version)})")
    for image in images:
        if _docker("image", "inspect", image).returncode:
            shell.note(f"pulling {image}")
            pulled = subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, text=True, check=False)
            if pulled.returncode:
                raise NoEngine(f"the Docker Engine cannot pull the image {image} ({_error_message(pulled)})")


def require_compose() -> None:
    """Raise NoEngine if the Compose plugin is missing. This needs the docker client only, no engine."""
    if _docker("compose", "version").returncode:
        raise NoEngine("docker has no Compose plugin")


def compose_projects() -> list[tuple[str, Path]]:
    """Return the Compose project and the folder of its file for each container; nothing without an engine."""
    label = "com.docker.compose.project"
    columns = f'{{{{.Label "{label}"}}}} {{{{.Label "{label}.working_dir"}}}}'
    try:
        listed = _docker("ps", "--all", "--filter", f"label={label}.working_dir", "--format", columns).stdout
    except NoEngine:
        return []
    return [(name, Path(folder)) for name, _, folder in (line.partition(" ") for line in listed.splitlines())]


@cache
def user() -> str:
    """Return the `uid:gid` with which files written by a container belong to the calling user.

    A rootless engine maps the caller to the container's root. Without an engine, assume one that is not rootless.
    """
    if not hasattr(os, "getuid"):
        return "0:0"
    try:
        options = _docker("info", "--format", "{{json .SecurityOptions}}").stdout
    except NoEngine:
        options = ""
    return "0:0" if "name=rootless" in options else f"{os.getuid()}:{os.getgid()}"


def _error_message(failed: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line, which has the reason, without the URL of the failed request."""
    last = (failed.stderr.strip().splitlines() or ["no reason given"])[-1]
    return re.sub(r'Get "[^"]*": ', "", last).rstrip(".")


def _docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Raise NoEngine if docker is missing or does not answer in time."""
    try:
        return subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
        )
    except FileNotFoundError:
        raise NoEngine(NOT_INSTALLED) from None
    except subprocess.TimeoutExpired:
        raise NoEngine(f"the Docker Engine did not answer within {TIMEOUT_SECONDS} s") from None
