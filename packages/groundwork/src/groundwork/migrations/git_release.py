"""Last release in git, and the migrations since then."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groundwork.contract import PROJECT
from groundwork.migrations import revisions
from groundwork.migrations.revisions import Revision
from groundwork.system import git, paths, shell
from groundwork.system.errors import Exit

# A constant path, since the release's test suite names images and containers after its folder.
FOLDER = paths.LOCAL / "released"
TRUNK = "origin/main"
VERSIONS = f"{PROJECT.migrations}/versions"


@dataclass(frozen=True)
class Release:
    commit: str
    name: str
    """Tag, branch or commit, as git or the user named it."""

    def __str__(self) -> str:
        return f"{self.name} ({self.commit[:7]})"


def last() -> Release | None:
    """Return the last tag before HEAD; without a tag, the commit where this branch left the trunk; None without both.

    Raises Exit if there is no repository, or a shallow one without a tag, whose history may be incomplete.
    """
    git.require()
    tag = git.output_or_empty("describe", "--tags", "--abbrev=0")
    if tag:
        return Release(git.output("rev-parse", f"{tag}^{{commit}}"), tag)
    if git.output("rev-parse", "--is-shallow-repository") == "true":
        raise Exit(
            "the last release is unknown: this clone is shallow and has no tag: git fetch --unshallow --tags", code=1
        )
    commit = git.output_or_empty("merge-base", "HEAD", TRUNK)
    return Release(commit, TRUNK) if commit else None


def find(name: str) -> Release:
    """Return the release at this tag, branch or commit. Raises Exit if git does not find it."""
    git.require()
    commit = git.output_or_empty("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        raise Exit(f"there is no commit {name!r} in this repository", code=1)
    return Release(commit, name)


def migrations_since(release: Release) -> list[Revision]:
    """Return the working tree's migrations that the release does not have, in the order of application.

    Raises Exit if Alembic cannot read the release's migrations, since all of ours would then look new, or none.
    """
    if not git.output("ls-tree", "--name-only", release.commit, VERSIONS):
        return revisions.pending(set())
    with tempfile.TemporaryDirectory() as folder:
        _export(release.commit, Path(folder), VERSIONS)
        try:
            names = {script.revision for script in revisions.read(Path(folder) / VERSIONS)}
        except Exception as error:  # importing a migration may raise anything
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise Exit(f"{release}: Alembic cannot read its {VERSIONS}: {reason}", code=1) from None
    return revisions.pending(names)


def version() -> str:
    """Return git's description of the working tree, such as v1.2-3-g0a1b2c3 or 0a1b2c3-dirty; "unknown" without git."""
    return git.output_or_empty("describe", "--tags", "--always", "--dirty") or "unknown"


def commit() -> str:
    return git.output_or_empty("rev-parse", "HEAD") or "unknown"


@contextmanager
def exported(release: Release) -> Iterator[Path]:
    """Export the release's files to a folder, which is deleted afterwards."""
    from filelock import FileLock

    paths.LOCAL.mkdir(exist_ok=True)
    with FileLock(FOLDER.with_suffix(".lock")):
        shutil.rmtree(FOLDER, ignore_errors=True)  # a killed task leaves it behind
        try:
            FOLDER.mkdir()
            _export(release.commit, FOLDER)
            yield FOLDER
        finally:
            with shell.uninterrupted():
                shutil.rmtree(FOLDER, ignore_errors=True)


def _export(commit: str, folder: Path, *files: str) -> None:
    archive = git.output_bytes("archive", commit, *files)
    subprocess.run(["tar", "-C", folder, "-xf", "-"], input=archive, check=True)
