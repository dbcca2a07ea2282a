"""Backups: folders with a database dump, and a manifest to verify a restore."""

import glob
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from groundwork.backups import dump_tools
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import cluster, database
from groundwork.postgresql.database import Database
from groundwork.system import errors, paths, process_owner, shell
from groundwork.system.errors import Exit

if TYPE_CHECKING:
    import psycopg

FOLDER = paths.LOCAL / "backups"
MANIFEST, DUMP = "manifest.json", "dump"
DRAFT = ".draft~"
TIMESTAMP = re.compile(r"-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z")


@dataclass(frozen=True)
class Contents:
    """Contents of a database for the comparison of a backup with its restore."""

    revision: str
    rows: dict[str, int]
    """Row counts by table."""


@dataclass(frozen=True)
class Manifest:
    database: str
    server: int
    """Major version of PostgreSQL."""
    taken: str
    """Time of the backup in UTC, in ISO 8601."""
    contents: Contents
    files: dict[str, str]
    """SHA-256 by file."""

    def summary(self, folder: Path) -> str:
        rows, tables = sum(self.contents.rows.values()), len(self.contents.rows)
        return f"backed up {self.database} to {paths.display(folder)}: {rows:,} rows of {tables} tables"

    def restored_summary(self, name: str, folder: Path) -> str:
        return f"restored {name} from the backup of {self.database} at {self.taken} ({paths.display(folder)})"


def backup_folder(configuration: Configuration, folder: str) -> Path:
    """Return the given folder, or a new one in .local/backups, named by configuration and time."""
    default = FOLDER / f"{configuration.name}-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
    return Path(folder).resolve() if folder else default


def create(found: Database, folder: Path) -> Manifest:
    """Back up a database. Raises Exit, and leaves no folder behind, on failure or if there is no table.

    Rows are counted in the dumped snapshot, so that concurrent writes do not matter.
    """
    configuration = found.configuration
    name = configuration["APPLICATION_DB"]
    if folder.exists():
        raise Exit(f"--folder: {paths.display(folder)} already exists: choose another folder", code=1)
    with (
        errors.exit_on_os_error("no backup was made"),
        _draft(folder) as draft,
        database.exit_on_database_error(),
        database.connect_or_create(configuration) as connection,
    ):
        major = connection.info.server_version // 10_000
        tools = dump_tools.find(found, major)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()
        contents = _contents(connection)
        if not contents.rows:
            raise Exit(f"{name} has no table: there is nothing to back up", code=1)
        tools.dump(configuration, str(snapshot and snapshot[0]), draft / DUMP)
        taken = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(name, major, taken, contents, _checksums(draft))
        (draft / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
        draft.rename(folder)
    return manifest


def delete_old(configuration: Configuration, keep: int) -> list[Path]:
    """Delete the configuration's oldest backups in .local/backups, and keep `keep`; return the deleted folders."""
    backups = sorted(
        path
        for path in FOLDER.glob(f"{configuration.name}-*")
        if TIMESTAMP.fullmatch(path.name.removeprefix(configuration.name))
    )
    for path in backups[:-keep]:
        shutil.rmtree(path)
    return backups[:-keep]


def read(folder: Path) -> Manifest:
    """Return the manifest of an undamaged backup. Raises Exit with all problems, one per line."""
    where = paths.display(folder / MANIFEST)
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
        manifest = Manifest(**{**document, "contents": Contents(**document["contents"])})
        files = dict(manifest.files)
    except OSError as error:
        raise Exit(f"{paths.display(folder)} is no backup: {where}: {error.strerror}", code=1) from None
    except (ValueError, TypeError, KeyError):
        raise Exit(f"{paths.display(folder)} is no backup: {where} is no manifest of inv db.backup", code=1) from None
    found = _checksums(folder)
    problems = [
        f"{paths.display(folder / name)}: {'is missing' if name not in found else 'has changed since the backup'}"
        for name, checksum in files.items()
        if found.get(name) != checksum
    ]
    if problems:
        raise Exit("\n".join([*problems, "this backup is damaged: nothing was restored"]), code=1)
    return manifest


def restore(found: Database, manifest: Manifest, folder: Path) -> None:
    """Restore into a draft, verify it against the manifest, and replace the database with it.

    An interruption leaves either the old database or the restored one. Raises Exit if a step fails.
    """
    configuration = found.configuration
    name = configuration["APPLICATION_DB"]
    with cluster.connect(configuration) as server:
        if manifest.server > server.major:
            versions = f"the backup is of PostgreSQL {manifest.server}, and the server is {server.major}"
            raise Exit(f"{versions}: nothing was restored", code=1)
        tools = dump_tools.find(found, server.major)
        with server.draft(name) as draft:
            server.create(draft)
            tools.restore(configuration, draft, folder / DUMP)
            with database.connect(configuration, draft) as connection:
                connection.execute("ANALYZE")  # a dump has no planner statistics
                _verify(manifest.contents, _contents(connection))
            server.replace(name, draft)


def _verify(expected: Contents, got: Contents) -> None:
    problems = [
        f"{table}: should have {expected.rows.get(table, 'no')} rows, got {got.rows.get(table, 'no table')}"
        for table in sorted({*expected.rows, *got.rows})
        if expected.rows.get(table) != got.rows.get(table)
    ]
    if expected.revision != got.revision:
        problems.append(f"the revision should be {expected.revision or 'none'}, got {got.revision or 'none'}")
    if problems:
        raise Exit("\n".join([*problems, "the result differs from the backup: nothing was restored"]), code=1)


def _contents(connection: "psycopg.Connection[tuple[object, ...]]") -> Contents:
    from psycopg import sql

    tables = connection.execute(
        """
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')  -- tables of extensions
        ORDER BY 1, 2
        """
    ).fetchall()
    rows = {}
    for schema, table in tables:
        count = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(str(schema), str(table)))
        counted = connection.execute(count).fetchone()
        rows[f"{schema}.{table}"] = int(str(counted and counted[0]))
    return Contents(" ".join(sorted(revisions.at(database.query_function(connection)))), rows)


def _checksums(folder: Path) -> dict[str, str]:
    checksums = {}
    for path in sorted(folder.glob(f"{DUMP}/*")):
        with path.open("rb") as file:
            checksums[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return checksums


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yield a draft of the folder, readable by its user only; remove it if the block fails.

    Drafts of killed processes next to it are removed first.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    siblings = "*" if folder.parent == FOLDER else glob.escape(folder.name)
    for leftover in folder.parent.glob(f"{siblings}{DRAFT}*"):
        if process_owner.is_abandoned(leftover.name.rpartition("~")[2]):
            shutil.rmtree(leftover)
    draft = folder.with_name(f"{folder.name}{DRAFT}{process_owner.identity()}")
    draft.mkdir(mode=0o700)
    try:
        yield draft
    finally:
        with shell.uninterrupted():
            shutil.rmtree(draft, ignore_errors=True)
