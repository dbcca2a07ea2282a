"""PostgreSQL of a test run without an engine, with unpacked data, in memory if there is enough."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from groundwork.configuration.loader import Configuration
from groundwork.postgresql import embedded
from groundwork.system import paths, ports, process_owner
from groundwork.system.errors import Exit
from groundwork.testing import template
from groundwork.testing.template import Started

TRIES = 3
NEEDED_BYTES = 2**30  # the whole suite writes about half as much


class Embedded:
    def __init__(self, settings: Configuration, reason: str) -> None:
        self._settings = settings
        self._described = f"embedded PostgreSQL, since {reason}"
        self.made = template.fingerprint(settings, str(embedded.binary("postgres")))
        self.archive = (
            paths.LOCAL / "cache" / "postgres" / f"{self.made}.tar"
        )  # one file is read faster than a thousand

    def is_made(self) -> bool:
        return self.archive.exists()

    def make(self) -> None:
        """Build the archive of a migrated server. It appears complete or not at all."""
        self.archive.parent.mkdir(parents=True, exist_ok=True)
        settings, server = self._server(process_owner.identity())
        try:
            server.start()
            template.migrate(settings.environment)
            server.stop()
            draft = self.archive.with_suffix(".draft")
            subprocess.run(["tar", "-C", server.data, "-cf", draft, "."], check=True)
            draft.rename(self.archive)
        finally:
            _discard(server)
        for old in sorted(self.archive.parent.iterdir(), key=lambda path: path.stat().st_mtime)[: -template.KEPT]:
            old.unlink()

    def start(self, claimed_by: str) -> Started:
        for attempt in range(TRIES):
            settings, server = self._server(claimed_by)
            try:
                server.data.mkdir()
                subprocess.run(["tar", "-C", server.data, "-xf", self.archive], check=True)
                server.start()
                server.detach()
            except Exit:
                _discard(server)
                if attempt == TRIES - 1 or not ports.is_taken(server.port):  # another process took the port
                    raise
            except BaseException:
                _discard(server)
                raise
            else:
                break
        return Started(settings.environment, self._described, lambda: _discard(server))

    def _server(self, claimed_by: str) -> tuple[Configuration, embedded.Server]:
        settings = self._settings.with_values("the run", POSTGRES_PORT=ports.any_free())
        server = embedded.Server(
            memory() / f"{template.OF_THIS_CHECKOUT}-{os.urandom(4).hex()}~{claimed_by}~data",
            int(settings["POSTGRES_PORT"]),
            settings["POSTGRES_USER"],
            settings["POSTGRES_PASSWORD"],
            template.SETTINGS,
            template.INITDB_OPTIONS,
        )
        return settings, server


def discard_all(claimed_by: str | None = None) -> None:
    """Remove the servers that `claimed_by` owns; by default, those of killed runs."""
    for data in memory().glob(f"{template.OF_THIS_CHECKOUT}-*~data"):
        claim = data.name.split("~")[1]
        if claim == claimed_by if claimed_by else process_owner.is_abandoned(claim):
            _discard(embedded.Server(data, port=0, user="", password=""))


def memory() -> Path:
    """Return the folder for data: in memory if it has NEEDED_BYTES. Docker's default of 64 MB is too small."""
    memory = Path("/dev/shm")  # noqa: S108  each server has a unique name there
    is_enough = os.access(memory, os.W_OK) and shutil.disk_usage(memory).total >= NEEDED_BYTES
    return memory if is_enough else Path(tempfile.gettempdir())


def _discard(server: embedded.Server) -> None:
    server.stop()
    for leftover in server.data.parent.glob(f"{server.data.name}*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
