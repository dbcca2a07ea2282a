"""The images of the service: built from the checkout, named by version, and kept for going back."""

import subprocess
from dataclasses import dataclass

from invoke.exceptions import Exit

from ops import release, shell, stack

NAME = f"{stack.PROJECT}-web"
PREVIOUS = f"{NAME}:previous"
LABEL = f"groundwork.production={stack.PROJECT}"
POINTERS = (stack.RELEASED, PREVIOUS)
KEPT = 5  # as Kamal does


@dataclass(frozen=True)
class Image:
    id: str
    version: str
    created: str


def build(tag: str = "") -> Image:
    """Named by `tag`, else by what git calls the commit. Raises Exit where it cannot be built, with what was said."""
    version = tag or release.version()
    shell.read(
        [
            *("docker", "build", "--quiet", "--file", "compose/Dockerfile", "--target", "production"),
            *("--build-arg", f"VERSION={version}", "--build-arg", f"COMMIT={release.commit()}"),
            *("--label", LABEL, "--tag", f"{NAME}:{version}", "."),
        ]
    )
    return find(version)


def find(version: str) -> Image:
    """Raises Exit where there is none of that name."""
    for image in every():
        if version == image.version:
            return image
    kept = ", ".join(image.version for image in every()) or "none"
    raise Exit(f"there is no image {version!r}; kept are: {kept}", code=1)


def every() -> list[Image]:
    """The newest first."""
    listing = ["docker", "images", "--no-trunc", "--format", "{{.ID}}\t{{.Tag}}\t{{.CreatedAt}}", NAME]
    rows = [line.split("\t") for line in shell.read(listing).splitlines()]
    images = [Image(row[0], row[1], row[2]) for row in rows if f"{NAME}:{row[1]}" not in POINTERS]
    return sorted(images, key=lambda image: image.created, reverse=True)


def previous() -> Image:
    """The one that served before, whatever was built under its name since. Raises Exit where there was none."""
    asked = '{{.Id}}\t{{index .Config.Labels "org.opencontainers.image.version"}}\t{{.Created}}'
    told = _inspected(PREVIOUS, asked)
    if told is None:
        raise Exit("nothing was released before this: there is nothing to go back to", code=1)
    return Image(*told.split("\t"))


def released() -> str:
    """The id of the image that serves. Raises Exit where none was ever released."""
    if found := pointed_at(stack.RELEASED):
        return found
    raise Exit("nothing was released here yet: inv prod.up does", code=1)


def release_now(image: Image) -> None:
    """What was released before is kept to go back to."""
    before = pointed_at(stack.RELEASED)
    if before not in (None, image.id):
        _point(PREVIOUS, str(before))
    _point(stack.RELEASED, image.id)
    _forget_old()


def pointed_at(pointer: str) -> str | None:
    """The id of the image that is released, or was before."""
    return _inspected(pointer, "{{.Id}}")


def go_back_to(previous: str | None) -> None:
    """Make that what `prod.rollback` goes back to; None is nothing."""
    if previous:
        _point(PREVIOUS, previous)
    elif pointed_at(PREVIOUS):
        shell.read(["docker", "rmi", PREVIOUS])


def _inspected(reference: str, what: str) -> str | None:
    """None where there is no such image."""
    answered = subprocess.run(
        ["docker", "image", "inspect", "--format", what, reference], capture_output=True, text=True, check=False
    )
    return answered.stdout.strip() or None


def _point(pointer: str, image: str) -> None:
    shell.read(["docker", "tag", image, pointer])


def _forget_old() -> None:
    """All but the last few, and those that are released or were before."""
    spared = {pointed_at(pointer) for pointer in POINTERS}
    for image in every()[KEPT:]:
        if image.id not in spared:
            shell.read(["docker", "rmi", f"{NAME}:{image.version}"])
    shell.read(["docker", "image", "prune", "--force", "--filter", f"label={LABEL}"])  # those that lost their name
