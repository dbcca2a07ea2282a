"""Snapshots: the database as it was, kept on its server as templates, with the branch and the revision of that time."""

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from invoke.exceptions import Exit

from ops import cluster, database, git, migrations, session
from ops.cluster import Cluster
from ops.configuration import Configuration

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST_BRANCH = 20


@dataclass(frozen=True)
class Snapshot:
    name: str
    branch: str
    """Of git; empty outside of it, and between branches."""
    revision: str
    """Of Alembic; empty before the first migration."""
    taken: str
    """In UTC, as ISO 8601 has it."""

    @property
    def when(self) -> str:
        """By the clock on the wall here."""
        return f"{datetime.fromisoformat(self.taken).astimezone():%Y-%m-%d %H:%M}"


class Snapshots:
    def __init__(self, server: Cluster) -> None:
        self._cluster = server
        self._database = server.configuration["APPLICATION_DB"]

    def every(self) -> list[Snapshot]:
        return [Snapshot(**described) for described in self._cluster.described(self._template("")).values()]

    def find(self, name: str) -> Snapshot:
        """Raises Exit with the names that there are."""
        known = {snapshot.name: snapshot for snapshot in self.every()}
        if name in known:
            return known[name]
        if not known:
            raise Exit(f"there is no snapshot {name!r}, nor any other: inv db.snapshot makes one", code=1)
        close = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise Exit(f"there is no snapshot {name!r}: there is {', '.join(known)}{meant}", code=1)

    def newest(self) -> Snapshot:
        """Return the newest snapshot of this git branch. Raises Exit if the branch has none."""
        branch = git.branch()
        here = [snapshot for snapshot in self.every() if snapshot.branch == branch]
        if not here:
            others = ", ".join(sorted(snapshot.name for snapshot in self.every()))
            instead = f"--name takes one of {others}" if others else "inv db.snapshot makes one"
            raise Exit(f"there is no snapshot of the branch {branch or '(none)'}: {instead}", code=1)
        return max(here, key=lambda snapshot: datetime.fromisoformat(snapshot.taken))

    def take(self, name: str | None = None) -> Snapshot:
        """It is there whole or not at all. Raises Exit for a name that cannot be, or is taken."""
        branch = git.branch()
        with self._cluster.draft(self._database) as draft:
            known = [snapshot.name for snapshot in self.every()]
            name = _free(branch, known) if name is None else name
            template = self._template(name)
            _refuse(name, template, known)
            self._cluster.copy(self._database, draft)
            with database.connect(self._cluster.configuration, draft) as connection:  # where nobody migrates meanwhile
                revision = " ".join(sorted(migrations.at(session.of(connection))))
            snapshot = Snapshot(name, branch, revision, datetime.now(UTC).isoformat())
            self._cluster.keep(draft, template, asdict(snapshot))
        return snapshot

    def restore(self, snapshot: Snapshot) -> None:
        """Interrupted anywhere, the database is as before or as the snapshot."""
        with self._cluster.draft(self._database) as draft:
            self._cluster.copy(self._template(snapshot.name), draft)
            self._cluster.replace(self._database, draft)

    def forget(self, snapshot: Snapshot) -> None:
        self._cluster.drop(self._template(snapshot.name))

    def size(self, snapshot: Snapshot) -> str:
        return self._cluster.size(self._template(snapshot.name))

    def _template(self, name: str) -> str:
        return f"{self._database}@{name}"


@contextmanager
def opened(configuration: Configuration) -> Iterator[Snapshots]:
    """Raises Exit, with the reason in a line, where the server cannot be used."""
    with cluster.opened(configuration) as server:
        yield Snapshots(server)


def _refuse(name: str, template: str, known: list[str]) -> None:
    if not NAME.fullmatch(name):
        expected = "letters, digits, '.', '_' and '-', one of the first two at its beginning"
        raise Exit(f"--name: should be {expected}, got {name!r}", code=1)
    if (over := len(template.encode()) - cluster.LONGEST_NAME) > 0:
        raise Exit(f"--name: should have {len(name) - over} characters at most, got {len(name)}", code=1)
    if name in known:
        raise Exit(f"there is a snapshot {name!r} already: choose another name, or inv db.forget --name {name}", code=1)


def _free(branch: str, known: list[str]) -> str:
    """A name that says where it was taken: main, main-2, main-3, …"""
    safe = re.sub(r"[^A-Za-z0-9]+", "-", branch)[:LONGEST_BRANCH].strip("-") or "snapshot"
    numbered = (f"{safe}-{number}" for number in range(2, len(known) + 3))
    return next(name for name in (safe, *numbered) if name not in known)
