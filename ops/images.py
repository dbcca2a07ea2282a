"""The images of the service: built from the checkout, named by version, and kept for going back."""

import json
import subprocess
from dataclasses import dataclass
from datetime import datetime

from invoke.exceptions import Exit

from ops import project, release, shell, stack
from ops.configuration import Configuration

PREVIOUS = f"{stack.IMAGE}:previous"
LABEL, VERSION = f"{project.NAME}.production", "org.opencontainers.image.version"
ID = "sha256:"
POINTERS = (stack.RELEASED, PREVIOUS)
KEPT = 5  # as Kamal does
REFUSED = "a prune operation is already running"


@dataclass(frozen=True)
class Image:
    id: str
    version: str
    named: datetime
    """When it was built, or began to serve. What Docker calls created is when all but the version was built first."""


def build(settings: Configuration, tag: str = "", platform: str = "") -> Image:
    """Named by `tag`, else by what git calls the commit; for this machine, or another platform.

    Raises Exit where it cannot be built, with what was said.
    """
    version = tag or release.version()
    if f"{stack.IMAGE}:{version}" in POINTERS:
        raise Exit(f"--tag: {version} is the name of what serves, or served before: choose another", code=1)
    shell.read(
        [
            *("docker", "build", "--quiet", "--file", "compose/Dockerfile", "--target", "production"),
            *("--build-arg", f"VERSION={version}", "--build-arg", f"COMMIT={release.commit()}"),
            *(("--build-arg", "TRACING=yes") if settings.environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") else ()),
            *(("--platform", platform) if platform else ()),
            *("--label", f"{LABEL}={stack.PROJECT}", "--tag", f"{stack.IMAGE}:{version}", "."),
        ]
    )
    return find(version)


def find(wanted: str) -> Image:
    """By its version, or its id where a newer one has taken that. Raises Exit where there is none."""
    if found := _inspected(wanted if wanted.startswith(ID) else f"{stack.IMAGE}:{wanted}"):
        return found[0]
    kept = ", ".join(image.version for image in every()) or "none"
    raise Exit(f"there is no image {wanted!r}; kept are: {kept}", code=1)


def every() -> list[Image]:
    """Those built or released last come first."""
    listing = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", stack.IMAGE]
    names = [name for name in shell.read(listing).split() if name not in POINTERS]
    return sorted(_inspected(*names), key=lambda image: image.named, reverse=True)


def previous() -> Image:
    """The one that served before, whatever was built under its name since. Raises Exit where there was none."""
    if found := _inspected(PREVIOUS):
        return found[0]
    raise Exit("nothing was released before this: there is nothing to go back to", code=1)


def released() -> str:
    """The id of the image that serves. Raises Exit where none was ever released."""
    if found := pointed_at(stack.RELEASED):
        return found
    raise Exit("nothing was released here yet: inv prod.up does", code=1)


def release_now(image: Image) -> None:
    """What was released before is kept to go back to."""
    before = pointed_at(stack.RELEASED)
    if before == image.id:
        return
    if before:
        _point(PREVIOUS, before)
    _point(stack.RELEASED, image.id)
    _forget_old()


def pointed_at(pointer: str) -> str | None:
    """The id of the image that is released, or was before."""
    found = _inspected(pointer)
    return found[0].id if found else None


def go_back_to(previous: str | None) -> None:
    """Make that what `prod.rollback` goes back to; None is nothing."""
    if previous:
        _point(PREVIOUS, previous)
    elif pointed_at(PREVIOUS):
        shell.read(["docker", "rmi", PREVIOUS])


def prune(name: str) -> None:
    """Those of that stack that lost their name. The engine refuses where another prune runs: the next one does it."""
    try:
        shell.read(["docker", "image", "prune", "--force", "--filter", f"label={LABEL}={name}"])
    except Exit as failed:
        if REFUSED not in str(failed.message):
            raise


def _inspected(*references: str) -> list[Image]:
    """Those that there are, and that are this stack's."""
    asked = ["docker", "image", "inspect", *references]
    answered = subprocess.run(asked, capture_output=True, text=True, check=False)
    return [
        Image(found["Id"], labels[VERSION], datetime.fromisoformat(found["Metadata"]["LastTagTime"]))
        for found in json.loads(answered.stdout or "[]")
        if (labels := found["Config"]["Labels"] or {}).get(LABEL) == stack.PROJECT
    ]


def _point(pointer: str, image: str) -> None:
    shell.read(["docker", "tag", image, pointer])


def _forget_old() -> None:
    """All but the last few, those that are released or were before, and those of containers: `migrate` ended in one."""
    spared = {pointed_at(pointer) for pointer in POINTERS}
    for image in every()[KEPT:]:
        if image.id not in spared and not _has_containers(image):
            shell.read(["docker", "rmi", f"{stack.IMAGE}:{image.version}"])
    prune(stack.PROJECT)


def _has_containers(image: Image) -> bool:
    return bool(shell.read(["docker", "ps", "--all", "--quiet", "--filter", f"ancestor={image.id}"]))
