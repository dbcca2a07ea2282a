"""Major versions of PostgreSQL data in volumes; a server of another one would start with an empty data directory."""

import json
import re
import subprocess

from groundwork.system import shell
from groundwork.system.errors import Exit

HOME = "/var/lib/postgresql"
"""Mount point of the volumes; images from 18 on keep their data in MAJOR/docker below it."""
WAY_UP = "docs/databases.md describes the upgrade"


def refuse(image: str, volume: str, remedy: str) -> None:
    """Raise Exit if the data in the volume belongs to another major version than the image."""
    new, found = of_image(image), of_volume(image, volume)
    if found and new != min(found):
        remedy = remedy if new > min(found) else "Set it to the previous version"
        raise Exit(
            f"images/postgres: should be PostgreSQL {min(found)}, as the data in the volume {volume}, got {image}, "
            f"which is {new}: nothing was started. {remedy}. {WAY_UP}",
            code=1,
        )


def of_image(image: str) -> int:
    """Return the major version of an image. Raises Exit if its data directory is not in the volume."""
    environment = json.loads(shell.read(["docker", "image", "inspect", "--format", "{{json .Config.Env}}", image]))
    folder = next((each.removeprefix("PGDATA=") for each in environment if each.startswith("PGDATA=")), "")
    if found := re.fullmatch(rf"{HOME}/(\d+)/docker", folder):
        return int(found[1])
    expected = f"an image with its data in {HOME}/MAJOR/docker, as PostgreSQL's from 18 on"
    raise Exit(f"images/postgres: should be {expected}, got {image}, which has it in {folder or 'no PGDATA'}", code=1)


def of_volume(image: str, volume: str) -> list[int]:
    """Return the major versions with data in a volume. It reads the volume in a container of the image."""
    if subprocess.run(["docker", "volume", "inspect", volume], capture_output=True, check=False).returncode:
        return []
    look = ("--network", "none", "--volume", f"{volume}:{HOME}:ro", "--workdir", HOME, "--entrypoint", "sh")
    listing = shell.read(["docker", "run", "--rm", *look, image, "-c", "ls -d [0-9]*/docker/PG_VERSION || true"])
    return [int(found) for found in re.findall(r"^(\d+)/", listing, re.MULTILINE)]
