"""Contenders that copy or restore a database."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg

from groundwork.postgresql import embedded
from packages.groundwork.benchmarks.measure import seconds
from packages.groundwork.benchmarks.place import Server, dslr

BARE = "CREATE DATABASE … TEMPLATE … file_copy"
BARE_AGAIN = "the same, after DROP DATABASE"
DUMP, DSLR = "pg_dump and pg_restore, two jobs", "DSLR 0.6.0, snapshot and restore"


@dataclass(frozen=True)
class Copies:
    """Ways to copy the database `source`, which stays unchanged. Each method returns seconds."""

    server: Server
    source: str
    folder: Path

    def leave_room(self) -> None:
        """Drop a fresh copy, so that every contender starts with the same free space, which is the fastest to fill."""
        with self.server.connect("postgres") as connection:
            connection.execute("DROP DATABASE IF EXISTS again")
            self._copy(connection)
            connection.execute("DROP DATABASE again")

    def bare(self) -> float:
        self.leave_room()
        with self.server.connect("postgres") as connection:
            return seconds(lambda: self._copy(connection))

    def bare_again(self) -> float:
        """Drop the existing copy and create it again."""
        self.bare()
        with self.server.connect("postgres") as connection:
            return seconds(lambda: self._copy(connection, after="DROP DATABASE again"))

    def _copy(self, connection: "psycopg.Connection[tuple[object, ...]]", after: str = "") -> None:
        if after:
            connection.execute(after)
        connection.execute(f"CREATE DATABASE again TEMPLATE {self.source} STRATEGY file_copy")

    def dump_and_restore(self) -> float:
        """Dump the source and restore it into a new database."""
        self.server.new("restored", template="template0")
        dump = self.folder / f"dump-{os.urandom(4).hex()}"
        out = [str(embedded.binary("pg_dump")), "-Fd", "-j2", "--file", str(dump), self.server.url(self.source)]
        back = [str(embedded.binary("pg_restore")), "-j2", "--dbname", self.server.url("restored"), str(dump)]
        return seconds(lambda: [subprocess.run(command, check=True) for command in (out, back)])

    def dslr(self) -> float:
        """Snapshot and restore a copy of the source; DSLR replaces the database that it restores."""
        self.server.new("with_dslr", template=self.source)
        command = [str(dslr()), "--url", self.server.url("with_dslr")]
        name = f"bench{os.urandom(4).hex()}"

        def snapshot_and_restore() -> None:
            for verb in ("snapshot", "restore"):
                subprocess.run([*command, verb, name], check=True, capture_output=True)

        took = seconds(snapshot_and_restore)
        subprocess.run([*command, "delete", name], check=True, capture_output=True)
        return took
