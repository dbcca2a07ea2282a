"""Images of the service: built from the checkout, tagged with their version, kept for rollback."""

import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from groundwork.configuration.loader import Configuration
from groundwork.migrations import git_release
from groundwork.postgresql import compose
from groundwork.production import stack
from groundwork.system import paths, shell
from groundwork.system.errors import Exit

PREVIOUS = f"{stack.IMAGE}:previous"
PROXY = f"{stack.PROJECT}-proxy"
"""Name of the image of nginx with its files, for where they cannot be mounted. Its tags are versions of the service."""
LABEL, VERSION = f"{paths.NAME}.production", "org.opencontainers.image.version"
ID = "sha256:"
NAME = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
"""Pattern of a valid image tag."""
NO_NAME = r"[\s\x00-\x1f\x7f~^:?*\[\\]"  # characters that git-check-ref-format(1) forbids
POINTERS = (stack.RELEASED, PREVIOUS)
KEPT = 5  # images, as in Kamal
REFUSED = "a prune operation is already running"


@dataclass(frozen=True)
class Image:
    id: str
    version: str
    named: datetime
    """When it was built or released. Docker's creation time is that of the first build with the same layers."""


def version(tag: str) -> str:
    """Return the version for an image: `tag`, or else git's description of the commit, as spelled by `named`.

    Raise Exit if git would refuse the tag too.
    """
    wanted = tag or git_release.version()
    if re.search(NO_NAME, wanted):
        raise Exit(f"--tag: should be letters, digits, dots, dashes and underscores, got {wanted!r}", code=1)
    return named(wanted)


def named(version: str) -> str:
    """Return the version as a valid image tag, for this machine and registries.

    git tags may have characters that image tags may not, as in shop/v1.2+5. A hash keeps two such versions distinct.
    """
    if re.fullmatch(NAME, version):
        return version
    spelled = re.sub(r"[^A-Za-z0-9._-]", "_", version).lstrip(".-")
    return f"{spelled[:120] or '_'}-{hashlib.sha256(version.encode('utf-8', 'surrogateescape')).hexdigest()[:7]}"


def build(settings: Configuration, tag: str = "", platform: str = "") -> Image:
    """Build an image of the version that `version` returns, for this machine or another platform. `keep` tags it.

    Raise Exit with Docker's message if the build fails.
    """
    wanted = version(tag)
    if f"{stack.IMAGE}:{wanted}" in POINTERS:
        raise Exit(f"--tag: {wanted} is the name of what serves, or served before: choose another", code=1)
    return find(_build("production", wanted, platform, f"TRACING={compose.tracing(settings)}"))


def build_proxy(settings: Configuration, version: str, platform: str = "") -> str:
    """Build the image of nginx for a version of the service; return its name. Raise Exit if the build fails."""
    name = f"{PROXY}:{version}"
    _point(name, _build("proxy", version, platform, f"NGINX={settings.images.nginx}"))
    return name


def keep(image: Image) -> None:
    """Tag the image with its version, so that `find` finds it and pruning keeps it."""
    _point(f"{stack.IMAGE}:{image.version}", image.id)


def save(names: Sequence[str], path: str) -> None:
    shell.read(["docker", "save", "--output", path, *names])


def load(path: str, version: str, platform: str) -> dict[str, tuple[str, str]]:
    """Load the images of a file into the engine. Return name and ID of `web` and `proxy`.

    Raise Exit if one of them is missing, or has another version or platform.
    """
    found = {}
    for line in shell.read(["docker", "load", "--quiet", "--input", path]).splitlines():
        name = line.rpartition(" ")[2]
        asked = ["docker", "image", "inspect", "--format", "{{.Id}} {{.Os}}/{{.Architecture}}", name]
        image, _, built_for = shell.read(asked).strip().partition(" ")
        if (name.rpartition(":")[2], built_for) != (version, platform):
            raise Exit(
                f"{path}: expected version {version} for {platform}, got {name} for {built_for}: "
                f"{_archive_command(version, path)}",
                code=1,
            )
        found[name.partition(":")[0].rpartition("-")[2]] = (name, image)
    if missing := [each for each in ("web", "proxy") if each not in found]:
        raise Exit(f"{path}: has no image of {' and '.join(missing)}: {_archive_command(version, path)}", code=1)
    return found


def find(wanted: str) -> Image:
    """Return an image by version, or by ID if a newer image has taken its version. Raise Exit if there is none."""
    if found := _inspected(wanted if wanted.startswith(ID) else f"{stack.IMAGE}:{named(wanted)}"):
        return found[0]
    kept = ", ".join(image.version for image in every()) or "none"
    raise Exit(f"there is no image {wanted!r}; kept are: {kept}", code=1)


def every() -> list[Image]:
    """Return all images with a version, the last built or released first."""
    listing = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", stack.IMAGE]
    names = [name for name in shell.read(listing).split() if name not in POINTERS]
    return sorted(_inspected(*names), key=lambda image: image.named, reverse=True)


def previous() -> Image:
    """Return the image that served before, even if its version was rebuilt since. Raise Exit if there is none."""
    if found := _inspected(PREVIOUS):
        return found[0]
    raise Exit("nothing was released before this: there is nothing to go back to", code=1)


def released() -> str:
    """Return the ID of the image that serves. Raise Exit if none was released yet."""
    if found := pointed_at(stack.RELEASED):
        return found
    raise Exit("nothing was released here yet: inv prod.up does", code=1)


def release_now(image: Image) -> None:
    """Tag an image as released, and the last one as previous, for rollback. Call this only for an image that serves."""
    keep(image)
    before = pointed_at(stack.RELEASED)
    if before == image.id:
        return
    if before:
        _point(PREVIOUS, before)
    _point(stack.RELEASED, image.id)
    _forget_old()


def pointed_at(pointer: str) -> str | None:
    """Return the ID of the image that one of POINTERS tags; None if there is none."""
    found = _inspected(pointer)
    return found[0].id if found else None


def go_back_to(previous: str | None) -> None:
    """Set the image ID that `prod.rollback` goes back to; None removes the tag."""
    if previous:
        _point(PREVIOUS, previous)
    elif pointed_at(PREVIOUS):
        shell.read(["docker", "rmi", PREVIOUS])


def prune(name: str) -> None:
    """Delete a stack's untagged images. The engine refuses during another prune; then the next call deletes them."""
    try:
        shell.read(["docker", "image", "prune", "--force", "--filter", f"label={LABEL}={name}"])
    except Exit as failed:
        if REFUSED not in str(failed.message):
            raise


def _build(target: str, version: str, platform: str, argument: str) -> str:
    """Build a target of compose/Dockerfile; return the image ID."""
    built = shell.read(
        [
            *("docker", "build", "--quiet", "--file", "compose/Dockerfile", "--target", target),
            *("--build-arg", f"VERSION={version}", "--build-arg", f"COMMIT={git_release.commit()}"),
            *("--build-arg", argument),
            *(("--platform", platform) if platform else ()),
            *("--label", f"{LABEL}={stack.PROJECT}", "."),
        ]
    )
    return built.strip()


def _archive_command(version: str, path: str) -> str:
    return f"inv prod.build --tag {version} --archive {path} writes it on such a machine"


def _inspected(*references: str) -> list[Image]:
    """Return the images of this stack among the references; ignore those that do not exist."""
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
    """Delete all but the last KEPT images, those in POINTERS, and those of containers, such as the exited `migrate`."""
    spared = {pointed_at(pointer) for pointer in POINTERS}
    for image in every()[KEPT:]:
        if image.id not in spared and not _has_containers(image):
            shell.read(["docker", "rmi", f"{stack.IMAGE}:{image.version}"])
    prune(stack.PROJECT)


def _has_containers(image: Image) -> bool:
    return bool(shell.read(["docker", "ps", "--all", "--quiet", "--filter", f"ancestor={image.id}"]))
