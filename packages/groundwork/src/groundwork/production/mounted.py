"""Copies of the secrets and of nginx's files that production's containers mount from this machine.

A copy does not change with the checkout. A restarted container does not see a half-edited file, and a container that
was replaced can be started again unchanged.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from groundwork.configuration import sections
from groundwork.configuration.loader import Configuration
from groundwork.system import paths

NGINX = paths.ROOT / "compose" / "nginx"
CERTIFICATE = (sections.CERTIFICATE, sections.KEY)


def secrets_folder() -> Path:
    """Return the folder in which the owner of the secrets edits them."""
    return paths.LOCAL / "secrets" / "production"


def folder(settings: Configuration) -> Path:
    """Return the folder with copies of this configuration's secrets, named by a hash of their content."""
    return _copies() / _hash(*_values(settings, sorted(settings.secrets)))


def nginx_folder(settings: Configuration) -> Path:
    """Return the folder with copies of nginx's files. A changed file replaces the proxy; a new password does not."""
    return _copies() / f"nginx-{hash_of_proxy(settings)}"


def hash_of_proxy(settings: Configuration) -> str:
    """Return a hash of nginx's files and certificate. Compose does not notice if a mounted file changes."""
    files = [path.read_bytes() for path in sorted(NGINX.iterdir())]
    return _hash(*files, *_values(settings, CERTIFICATE))


def hash_of_secrets(settings: Configuration) -> str:
    """Return a hash of the secrets that the service gets. Compose does not notice if a secret changes."""
    return _hash(*_values(settings, sorted({*settings.secrets} - {*sections.SECRETS})))


def write(settings: Configuration, owner: str) -> None:
    """Write each secret to its file, and write the copies for containers.

    Only `owner`, as UID:GID, can read the copies of the secrets. All users can read the copies of nginx's files.
    """
    _write_secrets(secrets_folder(), settings)
    _copy(folder(settings), lambda draft: _fill_with_secrets(draft, settings, owner))
    _copy(nginx_folder(settings), _fill_with_nginx)


def add_password(source: Path, password: str) -> None:
    """Append a password to a copy of POSTGRES_PASSWORD: containers that mount it can connect with either password."""
    copy = _copies() / source.parent.name / source.name  # the engine may know this machine's folders by other paths
    if copy.is_file() and password not in copy.read_text("utf-8").split("\n"):
        with copy.open("a", encoding="utf-8") as file:  # never truncate it: a replica may be reading it
            file.write(f"\n{password}")


def forget(used: Iterable[str]) -> None:
    """Delete the folders of copies that contain none of these paths."""
    kept = {part for path in used for part in Path(path).parts}
    for copies in _copies().iterdir():
        if copies.name not in kept:
            shutil.rmtree(copies)


def _copies() -> Path:
    return paths.LOCAL / "mounted"


def _copy(folder: Path, fill: Callable[[Path], None]) -> None:
    """Create the folder unless it exists. It is renamed once it is complete, so that no copy is incomplete."""
    if folder.exists():
        return
    draft = folder.with_name("draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    fill(draft)
    draft.rename(folder)


def _fill_with_secrets(draft: Path, settings: Configuration, owner: str) -> None:
    _write_secrets(draft, settings)
    if hasattr(os, "getuid") and os.getuid() == 0:
        for path in draft.iterdir():
            os.chown(path, *map(int, owner.split(":")))


def _fill_with_nginx(draft: Path) -> None:
    draft.chmod(0o755)  # independent of the caller's umask
    for path in NGINX.iterdir():
        shutil.copyfile(path, draft / path.name)
        (draft / path.name).chmod(0o644)


def _write_secrets(place: Path, settings: Configuration) -> None:
    """Write each secret to a file that only its owner can read."""
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    for name in settings.secrets:
        path = place / name
        if not path.exists() or path.read_text("utf-8", "surrogateescape").strip() != settings[name]:
            path.touch(mode=0o600)
            path.write_text(settings[name], "utf-8")
        path.chmod(0o600)


def _values(settings: Configuration, names: Iterable[str]) -> list[bytes]:
    return [settings[name].encode() if name in settings.values else b"" for name in names]


def _hash(*contents: bytes) -> str:
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:12]
