"""The migrations, as their files tell, and where a database stands among them: without a need for Alembic."""

import ast
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from invoke.exceptions import Exit

from ops import project, session, shell
from ops.configuration import Configuration
from ops.session import Ask

FOLDER = project.ROOT / "alembic" / "versions"
TURN = 5_112_946_304  # our own among the advisory locks of the database; alembic/env.py has the number before it
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
    """By name."""
    return {revision.name: revision for revision in map(_read, sorted(FOLDER.glob("*.py")))}


def heads() -> set[str]:
    known = every()
    return set(known) - {name for revision in known.values() for name in revision.after}


def pending(current: set[str]) -> list[Revision]:
    """In the order in which they would be applied to a database that is at `current`."""
    known, done = every(), set(current)
    for name in current:
        done |= {revision.name for revision in _before(known, name)}
    order: list[Revision] = []
    while waiting := [revision for revision in known.values() if revision.name not in done]:
        ready = [revision for revision in waiting if set(revision.after) <= done]
        order += ready
        done |= {revision.name for revision in ready or waiting}
    return order


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
        name = re.sub(r"[-+]\d+$", "", wanted)
        is_there = name == "base" or (name != "" and [each.name.startswith(name) for each in there].count(True) == 1)
    if not is_there:
        listed = [f"  {revision}" for revision in reversed(there)] + ["  base          before the first"]
        raise Exit("\n".join([f"--revision: no applied migration is {wanted!r}; there are:", *listed]), code=1)


def require_known(current: set[str]) -> None:
    """Raises Exit where the database is at a migration that is not in this checkout, as after a switch of branches."""
    if unknown := current - set(every()):
        raise Exit(
            f"the database is at {', '.join(sorted(unknown))}, which is not in alembic/versions: run inv db.downgrade "
            "in the branch that has it; in development, inv db.reset creates the database again",
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
    """To the head; without a word where there is nothing to do, which is seen before Alembic is imported."""
    with turn_to_migrate(configuration) as there_is_work:
        if there_is_work:
            alembic(configuration, "upgrade", "head")


def alembic(configuration: Configuration, *arguments: str) -> None:
    shell.run(shell.python("alembic", *arguments), configuration.environment)


@contextmanager
def turn_to_migrate(configuration: Configuration) -> Iterator[bool]:
    """Yields whether there is something to do; where there is, nobody else is at it.

    Alembic's own environment sees to that too; but who comes to it has imported it. The lock is asked for again and
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


def _before(known: dict[str, Revision], name: str) -> Iterator[Revision]:
    for earlier in known[name].after if name in known else ():
        if earlier in known:
            yield known[earlier]
            yield from _before(known, earlier)


def _read(path: Path) -> Revision:
    module = ast.parse(path.read_text("utf-8"))
    values = {
        target.id: ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in ("revision", "down_revision")
    }
    after = values.get("down_revision") or ()
    title = (ast.get_docstring(module) or "").partition("\n")[0]
    return Revision(values["revision"], (after,) if isinstance(after, str) else tuple(after), title, path)
