"""Folders of the project's checkout and its Compose project name."""

import os
import re
from contextlib import suppress
from pathlib import Path

from groundwork import contract

NAME = contract.PROJECT.name
ROOT = contract.ROOT
CONFIG = ROOT / "config"
LOCAL = ROOT / ".local"  # ignored by git: secrets, the data of the embedded server, logs
CLAIM = "checkout"
"""File in .local with the name of this checkout, and the folder in which it was last used."""


def compose_project() -> str:
    """Return the Compose project name of this checkout, which stays when its folder is moved or renamed.

    It is derived from the path on first use. A copy of a checkout gets another name while the original still exists,
    so that two checkouts never share a container or a volume.
    """
    name, folder = _read_claim(LOCAL)
    if not name:
        return _hashed_name(os.fsencode(ROOT))
    if folder != ROOT and _read_claim(folder / LOCAL.name)[0] == name and not folder.samefile(ROOT):
        return _hashed_name(os.fsencode(ROOT) + f"\n{name} {ROOT.stat().st_ino}".encode())
    return name


def claim() -> None:
    """Write the name to .local. Call this before creating a container or volume with this name.

    Raises Exit if containers with this name belong to a checkout that was moved away from this path.
    """
    name, kept = compose_project(), _read_claim(LOCAL)
    if kept == (name, ROOT):
        return
    if not kept[0]:
        _require_unused(name)
    LOCAL.mkdir(exist_ok=True)
    draft = LOCAL / f"{CLAIM}.{os.getpid()}"
    draft.write_bytes(name.encode() + b"\n" + os.fsencode(ROOT) + b"\n")
    draft.replace(LOCAL / CLAIM)


def ignore_local() -> None:
    """Keep git from adding .local, which has secrets, whatever the project's .gitignore says."""
    ignored = LOCAL / ".gitignore"
    if LOCAL.is_dir() and not ignored.exists():
        ignored.write_text("*\n")


def display(path: Path) -> str:
    """Return the path relative to the checkout, or the whole path if it is outside."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _require_unused(name: str) -> None:
    from groundwork.system import docker
    from groundwork.system.errors import Exit

    for stack, folder in docker.compose_projects():
        other = folder.parent
        if stack in (name, f"{name}-production") and other != ROOT and _read_claim(other / LOCAL.name)[0] == name:
            new = _hashed_name(os.urandom(8))
            raise Exit(
                f"{stack} belongs to the checkout in {other}, which was moved from here: give this one another name: "
                f"echo {new} > {display(LOCAL / CLAIM)}",
                code=1,
            )


def _read_claim(local: Path) -> tuple[str, Path]:
    """Return the name and the folder in the file; an empty name if it is missing or invalid."""
    with suppress(OSError, UnicodeDecodeError):
        name, _, folder = (local / CLAIM).read_bytes().partition(b"\n")
        if re.fullmatch(rb"[a-z0-9][a-z0-9_-]*", name):
            return name.decode(), Path(os.fsdecode(folder.removesuffix(b"\n")))
    return "", Path()


def _hashed_name(source: bytes) -> str:
    import hashlib

    return f"{NAME}-{hashlib.sha256(source).hexdigest()[:8]}"
