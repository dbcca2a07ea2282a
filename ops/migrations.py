"""The migrations, as Alembic reads them, and where a database stands among them."""

import re
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from ops import cluster, project, session, shell
from ops.configuration import Configuration
from ops.session import Ask

if TYPE_CHECKING:
    from alembic.script import Script

FOLDER = project.ROOT / "alembic" / "versions"
TURN = 5_112_946_304  # our own among the advisory locks of the database; alembic/env.py has the number before it
COMPARED = "compared"
ONE_HEAD = """let one follow the other, by its down_revision, or: inv run 'alembic merge --message "merge" heads'"""
SECONDS_BETWEEN_TRIES = 0.1


@dataclass(frozen=True)
class Revision:
    name: str
    after: tuple[str, ...]
    title: str
    path: Path

    def __str__(self) -> str:
        return f"{self.name}  {self.title}"


def every() -> dict[str, Revision]:
    """Return all by name, each after those that it follows. Raises Exit if a file cannot be read."""
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
    """Return what Alembic reads from the folder, the newest first. Raises Exit, with the place, where it cannot."""
    from alembic.script import ScriptDirectory

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Revision .* is (not present|present more than once)", UserWarning)
            return list(ScriptDirectory(FOLDER.parent).walk_revisions())
    except UserWarning as warning:
        raise _incomplete(str(warning)) from None
    except Exception as error:  # a file may raise anything
        raise failure(error) from None


def failure(error: Exception) -> Exit:
    """Return what ends a task, in a line, when a migration raises the error."""
    reason = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return Exit(f"{_place(error)}: {type(error).__name__}: {reason}: correct the file, or move it away", code=1)


def heads() -> set[str]:
    known = every()
    return set(known) - {name for revision in known.values() for name in revision.after}


def require_one_head() -> None:
    """Raise Exit if there are several, as after a merge of two branches that each have added a migration."""
    if len(found := heads()) > 1:
        raise Exit(f"{project.shown(FOLDER)}: the heads are {', '.join(sorted(found))}: {ONE_HEAD}", code=1)


def pending(current: set[str]) -> list[Revision]:
    """In the order in which they would be applied to a database that is at `current`."""
    known, done = every(), set(current)
    for name in current:
        done |= {revision.name for revision in _before(known, name)}
    return [revision for revision in known.values() if revision.name not in done]


def applied(current: set[str]) -> list[Revision]:
    """To a database that is at `current`, in the order in which they were."""
    ahead = {revision.name for revision in pending(current)}
    return [revision for revision in pending(set()) if revision.name not in ahead]


def require_applied(current: set[str], wanted: str) -> None:
    """To go back to it; `wanted` as Alembic takes it. Raises Exit with those that there are."""
    require_known(current)
    there = applied(current)
    if not there:
        raise Exit("no migration is applied: there is nothing to undo", code=1)
    if back := re.fullmatch(r"-(\d+)", wanted):
        is_there = 0 < int(back[1]) <= len(there)
    else:
        name = re.sub(r"@?[-+]\d+$", "", wanted)
        is_there = name == "base" or (name != "" and [each.name.startswith(name) for each in there].count(True) == 1)
    if not is_there:
        listed = [f"  {revision}" for revision in reversed(there)] + ["  base          before the first"]
        raise Exit("\n".join([f"--revision: no applied migration is {wanted!r}; there are:", *listed]), code=1)
    if back := re.fullmatch(r"(\w*)@?-(\d+)", wanted):
        starts = {each.name for each in there if each.name.startswith(back[1])} if back[1] else current
        _require_one_way(starts, int(back[2]))


def require_known(current: set[str]) -> None:
    """Raises Exit where the database is at a migration that is not in this checkout, as after a switch of branches."""
    if unknown := current - set(every()):
        raise Exit(
            f"the database is at {', '.join(sorted(unknown))}, which is not in alembic/versions: run inv db.downgrade "
            "in the branch that has it; in development, inv db.reset creates the database again; "
            f"its file was in: git log --all --oneline -- 'alembic/versions/*{min(unknown)}*'",
            code=1,
        )


def current(configuration: Configuration) -> set[str]:
    """Where the database stands; empty before the first migration. Raises Exit where it cannot be used."""
    with session.opened(configuration) as ask:
        return at(ask)


def at(ask: Ask) -> set[str]:
    """Where the database of the session stands; empty before the first migration."""
    has_been_migrated = ask("SELECT 'yes' WHERE to_regclass('alembic_version') IS NOT NULL")
    return set(ask("SELECT version_num FROM alembic_version")) if has_been_migrated else set()


def upgrade(configuration: Configuration) -> None:
    """Migrate to the head; print nothing, and start no process, if the database is there."""
    require_one_head()
    with turn_to_migrate(configuration) as there_is_work:
        if there_is_work:
            alembic(configuration, "upgrade", "head")


@contextmanager
def at_head(configuration: Configuration) -> Iterator[Configuration]:
    """Yield a database of the same server with nothing but the migrations, dropped afterwards.

    What the models have is compared with it, whatever is in the database that is configured.
    """
    require_one_head()
    name = cluster.beside(configuration["APPLICATION_DB"], COMPARED)
    with cluster.opened(configuration) as server, server.draft(name) as draft:
        server.create(draft)
        temporary = configuration.changed("a temporary database", APPLICATION_DB=draft)
        shell.read(shell.python("alembic", "upgrade", "head"), temporary.environment)
        yield temporary
        server.drop(draft)


def alembic(configuration: Configuration, *arguments: str) -> None:
    shell.run(shell.python("alembic", *arguments), configuration.environment)


@contextmanager
def turn_to_migrate(configuration: Configuration) -> Iterator[bool]:
    """Yields whether there is something to do; where there is, nobody else is at it.

    alembic/env.py holds a lock too, but a process that gets there has imported the app. The lock is tried again and
    again, not waited for: CREATE INDEX CONCURRENTLY would wait for a statement that waits.
    """
    wanted = heads()
    with session.opened(configuration) as ask:
        require_known(at(ask))
        while at(ask) != wanted:
            if ask(f"SELECT 'mine' WHERE pg_try_advisory_lock({TURN})"):
                yield at(ask) != wanted  # another one may have done it just now
                return
            time.sleep(SECONDS_BETWEEN_TRIES)
        yield False


def _require_one_way(starts: set[str], steps: int) -> None:
    """Raise Exit if a number of steps back means one thing or another."""
    known = every()
    if len(starts) > 1:
        raise Exit(
            f"the database is at {', '.join(sorted(starts))}: name the one to undo: "
            f"inv db.downgrade --revision {max(starts)}@-{steps}",
            code=1,
        )
    (name,) = starts
    for _ in range(steps):
        after = known[name].after
        if len(after) > 1:
            raise Exit(
                f"{name} merges {', '.join(after)}, so there is more than one way back: "
                f"inv db.downgrade --revision {after[0]} undoes the merge alone; name an older revision to undo more",
                code=1,
            )
        name = after[0] if after else name


def _incomplete(warning: str) -> Exit:
    """Return what ends a task, in a line, when Alembic warns that a revision is missing, or twice there."""
    folder = project.shown(FOLDER)
    if missing := re.match(r"Revision (\S+) referenced from .*?-> (\w+)", warning):
        return Exit(
            f"{folder}: revision {missing[1]} is missing, and {missing[2]} follows it: restore its file, from before "
            f"the commit that deleted it: git log --oneline --diff-filter=D -- '{folder}/*{missing[1]}*'",
            code=1,
        )
    return Exit(f"{folder}: {' '.join(warning.split())}: delete one of its files, or give it another revision", code=1)


def _before(known: dict[str, Revision], name: str) -> Iterator[Revision]:
    for earlier in known[name].after if name in known else ():
        if earlier in known:
            yield known[earlier]
            yield from _before(known, earlier)


def _place(error: Exception) -> str:
    """Return the file and line that Alembic was reading; the folder if it had read them all."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{project.shown(FOLDER / Path(error.filename).name)}:{error.lineno}"
    folder = FOLDER.resolve()
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if Path(frame.f_code.co_filename).parent == folder:
            return f"{project.shown(FOLDER / Path(frame.f_code.co_filename).name)}:{line}"
        for value in frame.f_locals.values():  # Alembic's own, at the file or at what it has made of it
            read = getattr(value, "path", value)
            if isinstance(read, str | Path) and Path(read).parent == folder and Path(read).suffix == ".py":
                return project.shown(FOLDER / Path(read).name)
    return project.shown(FOLDER)
