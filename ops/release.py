"""The commit that was released last, as git knows it, and the migrations that have come since."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from invoke.exceptions import Exit

from ops import migrations, project, shell
from ops.migrations import Revision

# Always the same: what its suite keeps under the name of its folder, as images, is that of one checkout.
FOLDER = project.LOCAL / "released"
TRUNK = "origin/main"
VERSIONS = "alembic/versions"
REVISION = re.compile(r"""^revision\b[^=]*=\s*["'](.+?)["']""", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    commit: str
    name: str
    """As git or the developer calls it."""

    def __str__(self) -> str:
        return f"{self.name} ({self.commit[:7]})"


def last() -> Release | None:
    """The last tag before HEAD; without a tag, where this branch left the trunk; None where there is neither."""
    tag = _git("describe", "--tags", "--abbrev=0")
    if tag:
        return Release(_git("rev-parse", f"{tag}^{{commit}}"), tag)
    commit = _git("merge-base", "HEAD", TRUNK)
    return Release(commit, TRUNK) if commit else None


def find(name: str) -> Release:
    """Raises Exit where there is no such commit."""
    commit = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        raise Exit(f"git knows no commit {name!r}", code=1)
    return Release(commit, name)


def migrations_since(release: Release) -> list[Revision]:
    """Those of the working tree that the release has not, in the order in which they are applied."""
    lines = _git("grep", "-h", "^revision", release.commit, "--", VERSIONS)
    return migrations.pending(set(REVISION.findall(lines)))


def version() -> str:
    """What git calls the working tree: v1.2, v1.2-3-g0a1b2c3, 0a1b2c3-dirty; "unknown" where there is no git."""
    return _git("describe", "--tags", "--always", "--dirty") or "unknown"


def commit() -> str:
    return _git("rev-parse", "HEAD") or "unknown"


@contextmanager
def exported(found: Release) -> Iterator[Path]:
    """Its files, which are gone afterwards."""
    from filelock import FileLock

    project.LOCAL.mkdir(exist_ok=True)
    with FileLock(FOLDER.with_suffix(".lock")):
        shutil.rmtree(FOLDER, ignore_errors=True)  # of one that was killed
        try:
            archive = subprocess.check_output(["git", "archive", found.commit], cwd=project.ROOT)
            FOLDER.mkdir()
            subprocess.run(["tar", "-C", FOLDER, "-xf", "-"], input=archive, check=True)
            yield FOLDER
        finally:
            with shell.uninterrupted():
                shutil.rmtree(FOLDER, ignore_errors=True)


def _git(*arguments: str) -> str:
    """What it answers; empty where it has no answer, or there is no repository or no git."""
    try:
        answered = subprocess.run(
            ["git", *arguments], cwd=project.ROOT, capture_output=True, encoding="utf-8", check=False
        )
    except FileNotFoundError:
        return ""
    return answered.stdout.strip() if answered.returncode == 0 else ""
