"""Database snapshots, stored on the server as template databases, with git branch and Alembic revision."""

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import cluster, database
from groundwork.postgresql.cluster import Cluster
from groundwork.system import git
from groundwork.system.errors import Exit

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST_BRANCH = 20


@dataclass(frozen=True)
class Snapshot:
    name: str
    branch: str
    """Git branch; empty on a detached HEAD and outside of a repository."""
    revision: str
    """Alembic revision; empty before the first migration."""
    taken: str
    """Time of the snapshot in UTC, in ISO 8601."""

    @property
    def taken_local(self) -> str:
        """Return the time of the snapshot in the local time zone."""
        return f"{datetime.fromisoformat(self.taken).astimezone():%Y-%m-%d %H:%M}"


class Snapshots:
    def __init__(self, server: Cluster) -> None:
        self._cluster = server
        self._database = server.configuration["APPLICATION_DB"]

    def list_all(self) -> list[Snapshot]:
        return [Snapshot(**described) for described in self._cluster.descriptions(self._template("")).values()]

    def find(self, name: str) -> Snapshot:
        """Return a snapshot by name. Raises Exit with the known names if it is missing."""
        known = {snapshot.name: snapshot for snapshot in self.list_all()}
        if name in known:
            return known[name]
        if not known:
            raise Exit(f"there is no snapshot {name!r}, nor any other: create one with inv db.snapshot", code=1)
        close = difflib.get_close_matches(name, known, n=1)
        suggestion = f"; did you mean {close[0]}?" if close else ""
        raise Exit(f"there is no snapshot {name!r}: use one of {', '.join(known)}{suggestion}", code=1)

    def newest(self) -> Snapshot:
        """Return the newest snapshot of this git branch. Raises Exit if the branch has none."""
        branch = git.branch()
        here = [snapshot for snapshot in self.list_all() if snapshot.branch == branch]
        if not here:
            others = ", ".join(sorted(snapshot.name for snapshot in self.list_all()))
            remedy = f"set --name to one of {others}" if others else "create one with inv db.snapshot"
            raise Exit(f"there is no snapshot of the branch {branch or '(none)'}: {remedy}", code=1)
        return max(here, key=lambda snapshot: datetime.fromisoformat(snapshot.taken))

    def take(self, name: str | None = None) -> Snapshot:
        """Create a snapshot; a failure leaves none behind. Raises Exit for an invalid or existing name."""
        branch = git.branch()
        with self._cluster.draft(self._database) as draft:
            known = [snapshot.name for snapshot in self.list_all()]
            name = _unused_name(branch, known) if name is None else name
            template = self._template(name)
            _require_valid_name(name, template, known)
            self._cluster.copy(self._database, draft)
            with database.connect(self._cluster.configuration, draft) as connection:  # no other task migrates the draft
                revision = " ".join(sorted(revisions.at(database.query_function(connection))))
            snapshot = Snapshot(name, branch, revision, datetime.now(UTC).isoformat())
            self._cluster.make_template(draft, template, asdict(snapshot))
        return snapshot

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the database with a copy of a snapshot. An interruption leaves the old database or the copy."""
        with self._cluster.draft(self._database) as draft:
            self._cluster.copy(self._template(snapshot.name), draft)
            self._cluster.replace(self._database, draft)

    def delete(self, snapshot: Snapshot) -> None:
        self._cluster.drop(self._template(snapshot.name))

    def size(self, snapshot: Snapshot) -> str:
        return self._cluster.size(self._template(snapshot.name))

    def _template(self, name: str) -> str:
        return f"{self._database}@{name}"


@contextmanager
def connect(configuration: Configuration) -> Iterator[Snapshots]:
    """Connect to the server of the snapshots. Raises Exit if the server is unusable or fails."""
    with cluster.connect(configuration) as server:
        yield Snapshots(server)


def _require_valid_name(name: str, template: str, known: list[str]) -> None:
    if not NAME.fullmatch(name):
        expected = "letters, digits, '.', '_' and '-', and begin with a letter or digit"
        raise Exit(f"--name: should consist of {expected}, got {name!r}", code=1)
    if (excess := len(template.encode()) - cluster.LONGEST_NAME) > 0:
        raise Exit(f"--name: should have at most {len(name) - excess} characters, got {len(name)}", code=1)
    if name in known:
        raise Exit(f"the snapshot {name!r} exists: choose another name, or run inv db.forget --name {name}", code=1)


def _unused_name(branch: str, known: list[str]) -> str:
    """Return an unused name made from the branch: main, main-2, main-3."""
    safe = re.sub(r"[^A-Za-z0-9]+", "-", branch)[:LONGEST_BRANCH].strip("-") or "snapshot"
    numbered = (f"{safe}-{number}" for number in range(2, len(known) + 3))
    return next(name for name in (safe, *numbered) if name not in known)
