"""Production stacks that one process has for itself: the name of their folder tells which will end them.

Nothing else would end those of a process that was killed, and the engine starts them whenever it starts itself.
"""

import re
import shutil
import socket
import subprocess

from ops import images, keeper, shell

MARK = f"on-{socket.gethostname()}-by-"  # a container that uses this engine too has processes of its own
PROJECT, FOLDER = "com.docker.compose.project", "com.docker.compose.project.working_dir"
"""Labels that Compose gives."""


def claimed_folder() -> str:
    """A name for a folder around the checkout whose stacks this process will end."""
    return f"{MARK}{keeper.signature()}"


def discard_abandoned() -> None:
    """With their volumes, networks and images."""
    for project in _abandoned():
        shell.read(["docker", "compose", "--project-name", project, "down", "--volumes", "--timeout", "1"])
        remove_images(project)


def remove_images(project: str) -> None:
    """Those that builds have replaced too."""
    names = shell.read(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", f"--filter=reference={project}-*"])
    if names:
        shell.read(["docker", "rmi", "--force", *names.split()])
    images.prune(project)


def _abandoned() -> list[str]:
    """Stacks that are on the network of another come before it."""
    if shutil.which("docker") is None:
        return []
    told = f'{{{{.Label "{PROJECT}"}}}} {{{{.Label "{FOLDER}"}}}}'
    listing = ["docker", "ps", "--all", "--filter", f"label={FOLDER}", "--format", told]
    listed = subprocess.run(listing, capture_output=True, text=True, check=False)  # fails where no engine answers
    rows = (line.split(" ", 1) for line in listed.stdout.splitlines())
    return sorted({project for project, folder in rows if keeper.is_abandoned(_claim(folder))}, reverse=True)


def _claim(folder: str) -> str:
    found = re.search(rf"/{re.escape(MARK)}([^/]+)/", folder)
    return found[1] if found else ""
