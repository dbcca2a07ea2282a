"""Rehearsal of one migration as in production: with the alembic command and its timeouts, while queries run."""

import io
import os
import subprocess
import sys
from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, NullPool, create_engine

from groundwork.contract import ROOT
from groundwork.migrations.rehearsal import clients, record_locks
from groundwork.migrations.rehearsal.clients import Timing
from groundwork.migrations.rehearsal.record_locks import Lock
from groundwork.scenarios.loading.loader import libpq


@dataclass(frozen=True)
class Step:
    """Measurements of one migration."""

    name: str
    seconds: float
    locks: list[Lock]
    reads: list[Timing]
    writes: list[Timing]
    error: str
    """Alembic's error output; empty on success."""

    def problems(self, longest_blocked_ms: int) -> list[str]:
        """Return the reasons not to run the migration in production, as phrases."""
        found = ["cannot be applied"] if self.error else []
        for kind, queries in (("read", self.reads), ("write", self.writes)):
            slow = slowest(queries)
            if slow and slow.milliseconds > longest_blocked_ms:
                found.append(
                    f"a {kind} took {slow.milliseconds:,.0f} ms, more than the {longest_blocked_ms:,} of "
                    f"migrations/longest_blocked_ms: {slow.query}"
                )
            failed = [query for query in queries if query.error]
            if failed:
                count = f"1 {kind}" if len(failed) == 1 else f"{len(failed):,} {kind}s"
                first = f"{failed[0].query}: {failed[0].error}"
                found.append(f"{count} failed, as they would in the previous release: {first}")
        return found


def slowest(queries: list[Timing]) -> Timing | None:
    return max(queries, key=lambda query: query.milliseconds, default=None)


def downgrade(url: URL, revision: str) -> None:
    """Downgrade to the revision without timeouts, and prepare the lock sampling. Raises what a migration raises."""
    config = Config(ROOT / "alembic.ini", stdout=io.StringIO())
    with create_engine(url, poolclass=NullPool).connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    record_locks.prepare(libpq(url))


def apply(url: URL, revision: str) -> Step:
    conninfo = libpq(url)
    with (
        clients.running(conninfo) as (reader, writer),
        record_locks.sampling(conninfo, [reader.backend, writer.backend]) as sampler,
    ):
        error = _upgrade(revision)
    return Step(_name(revision), sampler.seconds, sampler.locks, reader.timings, writer.timings, error)


def _upgrade(revision: str) -> str:
    """Run alembic upgrade; return its error output, empty on success."""
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic", "upgrade", revision],
        cwd=ROOT, env=os.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        output, error = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    return (error or output or "no reason given") if process.returncode else ""


def _name(revision: str) -> str:
    script = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_revision(revision)
    return f"{script.revision} {script.doc}".rstrip(" .")
