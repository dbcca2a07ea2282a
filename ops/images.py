"""The images of the service: built from the checkout, named by version, and kept for going back."""

import json
import subprocess
from dataclasses import dataclass

from invoke.exceptions import Exit

from ops import project, release, shell, stack
from ops.configuration import Configuration

PREVIOUS = f"{stack.IMAGE}:previous"
LABEL, VERSION = f"{project.NAME}.production", "org.opencontainers.image.version"
ID = "sha256:"
POINTERS = (stack.RELEASED, PREVIOUS)
KEPT = 5  # as Kamal does


@dataclass(frozen=True)
class Image:
    id: str
    version: str
    created: str


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
    if image := _inspected(wanted if wanted.startswith(ID) else f"{stack.IMAGE}:{wanted}"):
        return image
    kept = ", ".join(image.version for image in every()) or "none"
    raise Exit(f"there is no image {wanted!r}; kept are: {kept}", code=1)


def every() -> list[Image]:
    """The newest first."""
    listing = ["docker", "images", "--no-trunc", "--format", "{{.ID}}\t{{.Tag}}\t{{.CreatedAt}}", stack.IMAGE]
    rows = [line.split("\t") for line in shell.read(listing).splitlines()]
    images = [Image(row[0], row[1], row[2]) for row in rows if f"{stack.IMAGE}:{row[1]}" not in POINTERS]
    return sorted(images, key=lambda image: image.created, reverse=True)


def previous() -> Image:
    """The one that served before, whatever was built under its name since. Raises Exit where there was none."""
    if image := _inspected(PREVIOUS):
        return image
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
    image = _inspected(pointer)
    return image.id if image else None


def go_back_to(previous: str | None) -> None:
    """Make that what `prod.rollback` goes back to; None is nothing."""
    if previous:
        _point(PREVIOUS, previous)
    elif pointed_at(PREVIOUS):
        shell.read(["docker", "rmi", PREVIOUS])


def _inspected(reference: str) -> Image | None:
    """None where there is no such image of this stack."""
    answered = subprocess.run(["docker", "image", "inspect", reference], capture_output=True, text=True, check=False)
    for inspected in json.loads(answered.stdout or "[]"):
        labels = inspected["Config"]["Labels"] or {}
        if labels.get(LABEL) == stack.PROJECT:
            return Image(inspected["Id"], labels[VERSION], inspected["Created"])
    return None


def _point(pointer: str, image: str) -> None:
    shell.read(["docker", "tag", image, pointer])


def _forget_old() -> None:
    """All but the last few, and those that are released or were before."""
    spared = {pointed_at(pointer) for pointer in POINTERS}
    for image in every()[KEPT:]:
        if image.id not in spared:
            shell.read(["docker", "rmi", f"{stack.IMAGE}:{image.version}"])
    # Those that lost their name.
    shell.read(["docker", "image", "prune", "--force", "--filter", f"label={LABEL}={stack.PROJECT}"])
