"""The run's PostgreSQL without an engine: its data directory is unpacked, in memory where there is some."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from invoke.exceptions import Exit

from ops import keeper, ports, postgres, project
from ops.configuration import Configuration
from tests import template
from tests.template import Started

TRIES = 3
NEEDED_BYTES = 2**30  # the whole suite writes about half of it


class Embedded:
    def __init__(self, settings: Configuration, reason: str) -> None:
        self._settings = settings
        self._described = f"embedded PostgreSQL, since {reason}"
        self.made = template.fingerprint(settings, str(postgres.binary("postgres")))
        self.archive = (
            project.LOCAL / "cache" / "postgres" / f"{self.made}.tar"
        )  # one file is read faster than a thousand

    def is_made(self) -> bool:
        return self.archive.exists()

    def make(self) -> None:
        """It is there whole or not at all."""
        self.archive.parent.mkdir(parents=True, exist_ok=True)
        settings, server = self._server(keeper.signature())
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
            except Exit:
                _discard(server)
                if attempt == TRIES - 1 or not ports.is_taken(server.port):  # somebody was faster at the port
                    raise
            except BaseException:
                _discard(server)
                raise
            else:
                break
        return Started(settings.environment, self._described, lambda: _discard(server), server.leave)

    def _server(self, claimed_by: str) -> tuple[Configuration, postgres.Server]:
        settings = self._settings.changed("the run", POSTGRES_PORT=ports.any_free())
        server = postgres.Server(
            memory() / f"{template.OF_THIS_CHECKOUT}-{os.urandom(4).hex()}~{claimed_by}~data",
            int(settings["POSTGRES_PORT"]),
            settings["POSTGRES_USER"],
            settings["POSTGRES_PASSWORD"],
            template.SETTINGS,
            template.INITDB_OPTIONS,
        )
        return settings, server


def discard_all(claimed_by: str | None = None) -> None:
    """Those that `claimed_by` would end; by default, those that nobody will, since their run was killed."""
    for data in memory().glob(f"{template.OF_THIS_CHECKOUT}-*~data"):
        claim = data.name.split("~")[1]
        if claim == claimed_by if claimed_by else keeper.is_abandoned(claim):
            _discard(postgres.Server(data, port=0, user="", password=""))


def memory() -> Path:
    """Return the folder for the data: in memory if there is enough, which Docker's default of 64 MB is not."""
    memory = Path("/dev/shm")  # noqa: S108  each server has a name of its own there
    is_enough = os.access(memory, os.W_OK) and shutil.disk_usage(memory).total >= NEEDED_BYTES
    return memory if is_enough else Path(tempfile.gettempdir())


def _discard(server: postgres.Server) -> None:
    server.stop()
    for leftover in server.data.parent.glob(f"{server.data.name}*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
