"""Revisions in alembic/versions, and the current revision of a database."""

import re
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from groundwork import project_commands
from groundwork.configuration.loader import Configuration
from groundwork.contract import PROJECT
from groundwork.postgresql import cluster, database
from groundwork.postgresql.database import QueryFunction
from groundwork.system import paths, shell
from groundwork.system.errors import Exit

if TYPE_CHECKING:
    from alembic.script import Script

FOLDER = paths.ROOT / PROJECT.migrations / "versions"
UPGRADE_LOCK = 5_112_946_304  # key of an advisory lock; the runner uses the number before it
COMPARED = "compared"
ONE_HEAD = """set the down_revision of one to the other, or: inv run 'alembic merge --message "merge" heads'"""
RETRY_SECONDS = 0.1


@dataclass(frozen=True)
class Revision:
    name: str
    after: tuple[str, ...]
    title: str
    path: Path

    def __str__(self) -> str:
        return f"{self.name}  {self.title}"


def load_all() -> dict[str, Revision]:
    """Return all revisions by name, in topological order. Raises Exit if a file cannot be read."""
    from alembic.util import to_tuple

    return {
        script.revision: Revision(
            script.revision,
            to_tuple(script.down_revision, default=()),
            (script.doc or "").partition("\n")[0],
            FOLDER / Path(script.path).name,
        )
        for script in reversed(scripts())
    }


def scripts() -> "list[Script]":
    """Return Alembic's scripts, the newest first. Raises Exit with the file and line of an error."""
    try:
        return read(FOLDER)
    except UserWarning as warning:
        raise _incomplete(str(warning)) from None
    except Exception as error:  # importing a migration may raise anything
        raise failure(error) from None


def read(versions: Path) -> "list[Script]":
    """Return Alembic's scripts in a folder called `versions`, the newest first.

    Raises UserWarning if a revision is missing or defined twice, and any other exception of Alembic or of a file.
    """
    from alembic.script import ScriptDirectory

    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Revision .* is (not present|present more than once)", UserWarning)
        return list(ScriptDirectory(versions.parent).walk_revisions())


def failure(error: Exception) -> Exit:
    """Return a one-line Exit for an error that a migration raised."""
    reason = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return Exit(f"{_location(error)}: {type(error).__name__}: {reason}: correct the file, or move it away", code=1)


def heads() -> set[str]:
    known = load_all()
    return set(known) - {name for revision in known.values() for name in revision.after}


def require_one_head() -> None:
    """Raise Exit if there are several heads, as after a merge of two branches with a new migration each."""
    if len(found := heads()) > 1:
        raise Exit(f"{paths.display(FOLDER)}: multiple heads: {', '.join(sorted(found))}: {ONE_HEAD}", code=1)


def pending(current: set[str]) -> list[Revision]:
    """Return the revisions that a database at `current` lacks, in the order of application."""
    known, done = load_all(), set(current)
    for name in current:
        done |= {revision.name for revision in _ancestors(known, name)}
    return [revision for revision in known.values() if revision.name not in done]


def applied(current: set[str]) -> list[Revision]:
    """Return the revisions that a database at `current` has, in the order of application."""
    ahead = {revision.name for revision in pending(current)}
    return [revision for revision in pending(set()) if revision.name not in ahead]


def require_applied(current: set[str], wanted: str) -> None:
    """Check a downgrade's target, in Alembic's notation. Raises Exit with the applied revisions if it is invalid."""
    require_known(current)
    candidates = applied(current)
    if not candidates:
        raise Exit("no migration is applied: there is nothing to revert", code=1)
    if relative := re.fullmatch(r"-(\d+)", wanted):
        is_valid = 0 < int(relative[1]) <= len(candidates)
    else:
        name = re.sub(r"@?[-+]\d+$", "", wanted)
        matches = [each for each in candidates if name and each.name.startswith(name)]
        is_valid = name == "base" or len(matches) == 1
    if not is_valid:
        listed = [f"  {revision}" for revision in reversed(candidates)] + ["  base          before the first"]
        raise Exit("\n".join([f"--revision: no applied migration is {wanted!r}; choose one of:", *listed]), code=1)
    if relative := re.fullmatch(r"(\w*)@?-(\d+)", wanted):
        prefix = relative[1]
        starts = {each.name for each in candidates if each.name.startswith(prefix)} if prefix else current
        _require_unambiguous(starts, int(relative[2]))


def require_known(current: set[str]) -> None:
    """Raise Exit if this checkout does not have the database's revision, as after a switch of branches."""
    if unknown := current - set(load_all()):
        folder = paths.display(FOLDER)
        raise Exit(
            f"the database is at {', '.join(sorted(unknown))}, which is not in {folder}: run inv db.downgrade "
            "in the branch that has it; in development, inv db.reset recreates the database; "
            f"find the branch: git log --all --oneline -- '{folder}/*{min(unknown)}*'",
            code=1,
        )


def current(configuration: Configuration) -> set[str]:
    """Return the database's revisions; empty before the first migration. Raises Exit if it cannot be used."""
    with database.session(configuration) as ask:
        return at(ask)


def at(ask: QueryFunction) -> set[str]:
    """Return the revisions of the session's database; empty before the first migration."""
    has_been_migrated = ask("SELECT 'yes' WHERE to_regclass('alembic_version') IS NOT NULL")
    return set(ask("SELECT version_num FROM alembic_version")) if has_been_migrated else set()


def upgrade(configuration: Configuration) -> None:
    """Migrate to the head; print nothing and start no process if the database is already there."""
    require_one_head()
    with upgrade_lock(configuration) as is_pending:
        if is_pending:
            shell.run(project_commands.migrate(), configuration.environment)


@contextmanager
def at_head(configuration: Configuration) -> Iterator[Configuration]:
    """Yield a temporary database on the same server, migrated to the head and dropped afterwards.

    The models are compared with it, since the configured database may have any state.
    """
    require_one_head()
    name = cluster.derived_name(configuration["APPLICATION_DB"], COMPARED)
    with cluster.connect(configuration) as server, server.draft(name) as draft:
        server.create(draft)
        temporary = configuration.with_values("a temporary database", APPLICATION_DB=draft)
        shell.read(project_commands.migrate(), temporary.environment)
        yield temporary
        server.drop(draft)


def alembic(configuration: Configuration, *arguments: str) -> None:
    if not (paths.ROOT / "alembic.ini").is_file():
        place = f"%(here)s/{PROJECT.migrations}"
        raise Exit(f"alembic.ini: there is no such file: write one with [alembic] and script_location = {place}", 1)
    shell.run(shell.python("alembic", *arguments), configuration.environment)


@contextmanager
def upgrade_lock(configuration: Configuration) -> Iterator[bool]:
    """Yield whether migrations are pending; if so, hold the lock that keeps other tasks from migrating.

    The runner takes a lock too, but only after importing the app. The lock is polled, since a statement that waits
    for it would block CREATE INDEX CONCURRENTLY.
    """
    wanted = heads()
    with database.session(configuration) as ask:
        require_known(at(ask))
        while at(ask) != wanted:
            if ask(f"SELECT 'mine' WHERE pg_try_advisory_lock({UPGRADE_LOCK})"):
                yield at(ask) != wanted  # another task may have migrated in between
                return
            time.sleep(RETRY_SECONDS)
        yield False


def _require_unambiguous(starts: set[str], steps: int) -> None:
    """Raise Exit if several revisions are this many steps back."""
    known = load_all()
    if len(starts) > 1:
        raise Exit(
            f"the database is at {', '.join(sorted(starts))}: name the one to revert: "
            f"inv db.downgrade --revision {max(starts)}@-{steps}",
            code=1,
        )
    (name,) = starts
    for _ in range(steps):
        after = known[name].after
        if len(after) > 1:
            raise Exit(
                f"{name} merges {', '.join(after)}, so a number of steps is ambiguous: "
                f"inv db.downgrade --revision {after[0]} reverts only the merge; name an older revision to revert more",
                code=1,
            )
        name = after[0] if after else name


def _incomplete(warning: str) -> Exit:
    """Return a one-line Exit for Alembic's warning about a missing or duplicate revision."""
    folder = paths.display(FOLDER)
    if missing := re.match(r"Revision (\S+) referenced from .*?-> (\w+)", warning):
        return Exit(
            f"{folder}: revision {missing[1]}, the down_revision of {missing[2]}, is missing: restore its file from "
            f"before the commit that deleted it: git log --oneline --diff-filter=D -- '{folder}/*{missing[1]}*'",
            code=1,
        )
    return Exit(f"{folder}: {' '.join(warning.split())}: delete one of the files, or change its revision", code=1)


def _ancestors(known: dict[str, Revision], name: str) -> Iterator[Revision]:
    for parent in known[name].after if name in known else ():
        if parent in known:
            yield known[parent]
            yield from _ancestors(known, parent)


def _location(error: Exception) -> str:
    """Return the file and line that Alembic was reading; the folder if it was reading none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{paths.display(FOLDER / Path(error.filename).name)}:{error.lineno}"
    folder = FOLDER.resolve()
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if Path(frame.f_code.co_filename).parent == folder:
            return f"{paths.display(FOLDER / Path(frame.f_code.co_filename).name)}:{line}"
        for value in frame.f_locals.values():  # an Alembic frame has the path, or a script with a path
            path = getattr(value, "path", value)
            if isinstance(path, str | Path) and Path(path).parent == folder and Path(path).suffix == ".py":
                return paths.display(FOLDER / Path(path).name)
    return paths.display(FOLDER)
