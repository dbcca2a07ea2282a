"""One migration at a time, as in production: by its own command, with its own timeouts, while queries run."""

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, NullPool, create_engine

from scenarios.loading.telling import libpq
from scenarios.rehearsal import locks, traffic
from scenarios.rehearsal.locks import Lock
from scenarios.rehearsal.traffic import Asked

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Step:
    """What one migration did."""

    name: str
    seconds: float
    locks: list[Lock]
    reads: list[Asked]
    writes: list[Asked]
    complaint: str
    """Alembic's, where it failed."""

    def faults(self, longest_blocked_ms: int) -> list[str]:
        """Reasons not to run it in production, a sentence each."""
        found = ["does not apply"] if self.complaint else []
        for kind, asked in (("read", self.reads), ("write", self.writes)):
            slow = slowest(asked)
            if slow and slow.milliseconds > longest_blocked_ms:
                found.append(
                    f"a {kind} took {slow.milliseconds:,.0f} ms, more than the {longest_blocked_ms:,} of "
                    f"migrations/longest_blocked_ms: {slow.query}"
                )
            failed = [query for query in asked if query.error]
            if failed:
                many = f"1 {kind}" if len(failed) == 1 else f"{len(failed):,} {kind}s"
                found.append(f"{many} failed, so the previous release would: {failed[0].query}: {failed[0].error}")
        return found


def slowest(asked: list[Asked]) -> Asked | None:
    return max(asked, key=lambda query: query.milliseconds, default=None)


def undo(url: URL, revision: str) -> None:
    """Downgrade to the revision, however long it takes, and get ready to watch. Raises what the migration raises."""
    config = Config(ROOT / "alembic.ini", stdout=io.StringIO())
    with create_engine(url, poolclass=NullPool).connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    locks.prepare(libpq(url))


def apply(url: URL, revision: str) -> Step:
    place = libpq(url)
    with traffic.flowing(place) as (reader, writer), locks.watched(place, [reader.backend, writer.backend]) as watch:
        complaint = _upgrade(revision)
    return Step(_name(revision), watch.seconds, watch.locks, reader.asked, writer.asked, complaint)


def _upgrade(revision: str) -> str:
    """Alembic's complaint, if it has one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic", "upgrade", revision],
        cwd=ROOT, env=os.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        said, complaint = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    return (complaint or said or "no reason given") if process.returncode else ""


def _name(revision: str) -> str:
    script = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_revision(revision)
    return f"{script.revision} {script.doc}".rstrip(" .")
