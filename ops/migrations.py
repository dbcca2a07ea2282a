"""The migrations, as their files tell, and where a database stands among them."""

import ast
from typing import TYPE_CHECKING

from ops import project

if TYPE_CHECKING:
    import psycopg

FOLDER = project.ROOT / "alembic" / "versions"


def every() -> dict[str, tuple[str, ...]]:
    """What each comes after, by name."""
    known = {}
    for path in sorted(FOLDER.glob("*.py")):
        values = {
            target.id: ast.literal_eval(node.value)
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision")
        }
        after = values["down_revision"] or ()
        known[values["revision"]] = (after,) if isinstance(after, str) else tuple(after)
    return known


def heads() -> set[str]:
    known = every()
    return set(known) - {name for after in known.values() for name in after}


def at(connection: "psycopg.Connection[tuple[object, ...]]") -> set[str]:
    """Where the database stands; empty before the first migration."""
    found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if found == (None,):
        return set()
    return {str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")}
