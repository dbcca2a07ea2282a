"""The contract with a project: the table `[tool.groundwork]` in its pyproject.toml.

Each entry has a default, so that an empty table is enough for a project of the usual layout.
"""

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

FILE, TABLE = "pyproject.toml", "tool.groundwork"


class InvalidProject(SystemExit):
    """Error for a missing project or an invalid table.

    A SystemExit, since the table is read while the tasks are imported: it ends the program with its one-line message.
    """


@dataclass(frozen=True)
class Project:
    """Names of the parts of a project. Modules are dotted names, objects are `module:name`, as gunicorn writes them."""

    name: str
    """Prefix of Compose projects, images and databases; by default the name in `[project]`."""
    application: str = "app.factory:create_app"
    """Application factory."""
    database: str = "groundwork.flask.database:db"
    """Flask-SQLAlchemy object."""
    migrations: str = "alembic"
    """Folder of the migrations, from the root of the project."""
    upgrade: str = "alembic upgrade head"
    """Module and arguments, as after `python -m`, that migrate a database: with Flask-Migrate, `flask db upgrade`."""
    lint_after: str = ""
    """Revision after which migrations are linted; empty for all of them."""
    database_url: str = ""
    """Environment variable in which the application expects the URL of its database; empty if it expects none."""
    postgres: str = "postgres:18"
    """Image of PostgreSQL in a project without config/."""
    configuration: str = "app.config"
    """Module with the settings classes: `load(name)`, `json_schemas()` and the exception `InvalidConfiguration`."""
    scenarios: str = "scenarios"
    """Package of the scenarios, in the root of the project."""
    calls: str = "scenarios.calls"
    """Module with the calls that `inv scenario.explain` measures: groundwork/scenarios/explain/calls.py."""
    traffic: str = "scenarios.traffic"
    """Module with the queries that run during a rehearsal of migrations, and the requests of a drill."""


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, whose pyproject.toml has the table. Raises InvalidProject."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file() and _table(_read(folder)) is not None:
            return folder
    raise InvalidProject(f"{start}: neither this folder nor one above it has a {FILE} with the table [{TABLE}]")


def load(root: Path) -> Project:
    """Return the project's table, completed with the defaults. Raises InvalidProject with all problems."""
    document = _read(root)
    entries = {"name": document.get("project", {}).get("name"), **(_table(document) or {})}
    if problems := [f"{root / FILE}: {TABLE}.{name}: {text}" for name, text in _problems(entries)]:
        raise InvalidProject("\n".join(problems))
    return Project(**entries)


def import_part(name: str) -> Any:
    """Import a part of the project, a module or an object `module:name`. Raises InvalidProject if there is none."""
    module, _, attribute = name.partition(":")
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise InvalidProject(
            f"{module}: the project has no such module: add it, or name another in [{TABLE}]"
        ) from None
    return getattr(found, attribute) if attribute else found


def _problems(entries: dict[str, Any]) -> Iterator[tuple[str, str]]:
    known = [each.name for each in fields(Project)]
    for name, value in entries.items():
        if name not in known:
            yield name, f"is unknown; use one of {', '.join(known)}"
        elif value is None:
            yield name, "is missing, and so is project.name"
        elif not isinstance(value, str) or not (value or getattr(Project, name, None) == ""):
            yield name, f"should be a text, got {value!r}"


def _table(document: dict[str, Any]) -> dict[str, Any] | None:
    tool, _, name = TABLE.partition(".")
    table: dict[str, Any] | None = document.get(tool, {}).get(name)
    return table


def _read(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidProject(f"{folder / FILE}: {error}") from None


def _start() -> Path:
    """Return the folder of tasks.py if that is the running program, else the working directory.

    A timer runs `/srv/shop/inv prod.backup` in another folder.
    """
    program = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    return program.resolve().parent if program.name == "tasks.py" else Path.cwd()


ROOT = find_root(_start())
PROJECT = load(ROOT)
