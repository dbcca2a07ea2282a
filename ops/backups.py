"""Backups: a folder with a dump of a database, and a manifest that says what must come out of it."""

import glob
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ops import clients, cluster, database, disk, keeper, migrations, project, session, shell
from ops.configuration import Configuration
from ops.database import Database

if TYPE_CHECKING:
    import psycopg

FOLDER = project.LOCAL / "backups"
MANIFEST, DUMP = "manifest.json", "dump"
DRAFT = ".draft~"


@dataclass(frozen=True)
class Contents:
    """What two databases must have in common to count as the same."""

    revision: str
    rows: dict[str, int]
    """By table."""


@dataclass(frozen=True)
class Manifest:
    database: str
    server: int
    """PostgreSQL's major version."""
    taken: str
    """In UTC, as ISO 8601 has it."""
    contents: Contents
    files: dict[str, str]
    """The SHA-256 of each."""

    def kept_in(self, folder: Path) -> str:
        rows, tables = sum(self.contents.rows.values()), len(self.contents.rows)
        return f"{self.database} is in {project.shown(folder)}: {rows:,} rows of {tables} tables"

    def brought_back_as(self, name: str, folder: Path) -> str:
        return f"{name} is as {self.database} was at {self.taken} ({project.shown(folder)})"


def place(configuration: Configuration, folder: str) -> Path:
    """The one that is named, else a new one beside the others."""
    usual = FOLDER / f"{configuration.name}-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
    return Path(folder).resolve() if folder else usual


def make(found: Database, folder: Path) -> Manifest:
    """The folder is there whole or not at all. Raises Exit where it cannot be, or the database has no table.

    The rows are counted in the snapshot that is dumped, whatever is written meanwhile.
    """
    configuration = found.configuration
    name = configuration["APPLICATION_DB"]
    if folder.exists():
        raise Exit(f"--folder: {project.shown(folder)} is there already: choose another", code=1)
    with (
        disk.failures("no backup was made"),
        _draft(folder) as draft,
        database.failures(),
        database.connect_or_create(configuration) as connection,
    ):
        major = connection.info.server_version // 10_000
        client = clients.find(found, major)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()
        contents = _contents(connection)
        if not contents.rows:
            raise Exit(f"{name} has no table: there is nothing to back up", code=1)
        client.dump(configuration, str(snapshot and snapshot[0]), draft / DUMP)
        taken = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(name, major, taken, contents, _checksums(draft))
        (draft / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
        draft.rename(folder)
    return manifest


def read(folder: Path) -> Manifest:
    """Raises Exit with all that is wrong with it, a line each."""
    where = project.shown(folder / MANIFEST)
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
        manifest = Manifest(**{**document, "contents": Contents(**document["contents"])})
        files = dict(manifest.files)
    except OSError as error:
        raise Exit(f"{project.shown(folder)} is no backup: {where}: {error.strerror}", code=1) from None
    except (ValueError, TypeError, KeyError):
        raise Exit(f"{project.shown(folder)} is no backup: {where} is not what inv db.backup writes", code=1) from None
    found = _checksums(folder)
    problems = [
        f"{project.shown(folder / name)}: {'is missing' if name not in found else 'is not as it was written'}"
        for name, checksum in files.items()
        if found.get(name) != checksum
    ]
    if problems:
        raise Exit("\n".join([*problems, "nothing was restored: this backup is damaged"]), code=1)
    return manifest


def restore(found: Database, manifest: Manifest, folder: Path) -> None:
    """Into a database of its own, which takes the other's place once it has what the manifest says.

    Interrupted anywhere, the database is as before or as in the backup. Raises Exit.
    """
    configuration = found.configuration
    name = configuration["APPLICATION_DB"]
    with cluster.opened(configuration) as server:
        if manifest.server > server.major:
            versions = f"the backup is of PostgreSQL {manifest.server}, and the server is {server.major}"
            raise Exit(f"{versions}: nothing was restored", code=1)
        client = clients.find(found, server.major)
        with server.draft(name) as draft:
            server.create(draft)
            client.restore(configuration, draft, folder / DUMP)
            with database.connect(configuration, draft) as connection:
                connection.execute("ANALYZE")  # which a dump has not, and without which every plan is a guess
                _compare(manifest.contents, _contents(connection))
            server.replace(name, draft)


def _compare(expected: Contents, got: Contents) -> None:
    problems = [
        f"{table}: should have {expected.rows.get(table, 'no')} rows, got {got.rows.get(table, 'no table')}"
        for table in sorted({*expected.rows, *got.rows})
        if expected.rows.get(table) != got.rows.get(table)
    ]
    if expected.revision != got.revision:
        problems.append(f"the revision should be {expected.revision or 'none'}, got {got.revision or 'none'}")
    if problems:
        raise Exit("\n".join([*problems, "nothing was restored: what came out is not what went in"]), code=1)


def _contents(connection: "psycopg.Connection[tuple[object, ...]]") -> Contents:
    from psycopg import sql

    tables = connection.execute(
        """
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')  -- those of extensions
        ORDER BY 1, 2
        """
    ).fetchall()
    rows = {}
    for schema, table in tables:
        count = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(str(schema), str(table)))
        counted = connection.execute(count).fetchone()
        rows[f"{schema}.{table}"] = int(str(counted and counted[0]))
    return Contents(" ".join(sorted(migrations.at(session.of(connection)))), rows)


def _checksums(folder: Path) -> dict[str, str]:
    checksums = {}
    for path in sorted(folder.glob(f"{DUMP}/*")):
        with path.open("rb") as file:
            checksums[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return checksums


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder for what becomes that one, its user's alone; gone where what is inside fails.

    So are those beside it whose process was killed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    siblings = "*" if folder.parent == FOLDER else glob.escape(folder.name)
    for left in folder.parent.glob(f"{siblings}{DRAFT}*"):
        if keeper.is_abandoned(left.name.rpartition("~")[2]):
            shutil.rmtree(left)
    draft = folder.with_name(f"{folder.name}{DRAFT}{keeper.signature()}")
    draft.mkdir(mode=0o700)
    try:
        yield draft
    finally:
        with shell.uninterrupted():
            shutil.rmtree(draft, ignore_errors=True)
