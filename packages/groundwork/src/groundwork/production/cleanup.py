"""Cleanup of production stacks that belong to one process. Their folder name contains this process.

Nothing else removes the stacks of a killed process, and the engine restarts them whenever it starts.
"""

import re
import shutil
import socket
import subprocess

from groundwork.production import images
from groundwork.system import process_owner, shell

MARK = f"on-{socket.gethostname()}-by-"  # containers that use the same engine have other process IDs
PROJECT, FOLDER = "com.docker.compose.project", "com.docker.compose.project.working_dir"
"""Labels that Compose sets."""


def claimed_folder() -> str:
    """Return the name for a parent folder of a checkout whose stacks this process will remove."""
    return f"{MARK}{process_owner.identity()}"


def discard_abandoned() -> None:
    """Remove the stacks of ended processes with their volumes, networks and images."""
    for project in _abandoned():
        shell.read(["docker", "compose", "--project-name", project, "down", "--volumes", "--timeout", "1"])
        remove_images(project)


def remove_images(project: str) -> None:
    """Remove all images of the project, including replaced builds."""
    names = shell.read(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", f"--filter=reference={project}-*"])
    if names:
        shell.read(["docker", "rmi", "--force", *names.split()])
    images.prune(project)


def _abandoned() -> list[str]:
    """Return the projects of ended processes, with stacks before those whose network they use."""
    if shutil.which("docker") is None:
        return []
    told = f'{{{{.Label "{PROJECT}"}}}} {{{{.Label "{FOLDER}"}}}}'
    listing = ["docker", "ps", "--all", "--filter", f"label={FOLDER}", "--format", told]
    listed = subprocess.run(listing, capture_output=True, text=True, check=False)  # fails without an engine
    rows = (line.split(" ", 1) for line in listed.stdout.splitlines())
    return sorted({project for project, folder in rows if process_owner.is_abandoned(_claim(folder))}, reverse=True)


def _claim(folder: str) -> str:
    found = re.search(rf"/{re.escape(MARK)}([^/]+)/", folder)
    return found[1] if found else ""
