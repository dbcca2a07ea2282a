"""The commit that was released last, as git knows it, and the migrations that have come since."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from invoke.exceptions import Exit

from ops import git, migrations, project, shell
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
    """Return the last tag before HEAD; without a tag, the commit where this branch left the trunk; None without both.

    Raises Exit if git cannot tell: there is no repository, or it is shallow, so that the tag may be in what it lacks.
    """
    git.require()
    tag = git.find("describe", "--tags", "--abbrev=0")
    if tag:
        return Release(git.ask("rev-parse", f"{tag}^{{commit}}"), tag)
    if git.ask("rev-parse", "--is-shallow-repository") == "true":
        raise Exit(
            "the last release is unknown: this clone is shallow and has no tag: git fetch --unshallow --tags", code=1
        )
    commit = git.find("merge-base", "HEAD", TRUNK)
    return Release(commit, TRUNK) if commit else None


def find(name: str) -> Release:
    """Raises Exit where there is no such commit."""
    git.require()
    commit = git.find("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        raise Exit(f"git knows no commit {name!r}", code=1)
    return Release(commit, name)


def migrations_since(release: Release) -> list[Revision]:
    """Return the working tree's migrations that the release lacks, in the order in which they are applied.

    Raises Exit if the release has migrations and none of them can be read: all of ours would seem new, or none.
    """
    listed = git.ask("ls-tree", "-r", "-z", "--name-only", release.commit, VERSIONS)
    files = [path for path in listed.split("\0") if path]
    texts = [git.ask("cat-file", "blob", f"{release.commit}:./{path}") for path in files]
    names = {name for text in texts for name in REVISION.findall(text)}
    if files and not names:
        raise Exit(f"{release}: no file in {VERSIONS} has a revision", code=1)
    return migrations.pending(names)


def version() -> str:
    """What git calls the working tree: v1.2, v1.2-3-g0a1b2c3, 0a1b2c3-dirty; "unknown" where there is no git."""
    return git.find("describe", "--tags", "--always", "--dirty") or "unknown"


def commit() -> str:
    return git.find("rev-parse", "HEAD") or "unknown"


@contextmanager
def exported(found: Release) -> Iterator[Path]:
    """Its files, which are gone afterwards."""
    from filelock import FileLock

    project.LOCAL.mkdir(exist_ok=True)
    with FileLock(FOLDER.with_suffix(".lock")):
        shutil.rmtree(FOLDER, ignore_errors=True)  # of one that was killed
        try:
            archive = git.read("archive", found.commit)
            FOLDER.mkdir()
            subprocess.run(["tar", "-C", FOLDER, "-xf", "-"], input=archive, check=True)
            yield FOLDER
        finally:
            with shell.uninterrupted():
                shutil.rmtree(FOLDER, ignore_errors=True)
