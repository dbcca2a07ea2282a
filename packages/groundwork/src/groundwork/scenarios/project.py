"""The project's scenarios, and the parts of it that they use, by their names in `[tool.groundwork]`.

Only processes of their own import these parts. Processes that generate rows import this module, so it loads little.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundwork.contract import PROJECT, ROOT, import_part

if TYPE_CHECKING:
    from sqlalchemy import URL

FOLDER = ROOT.joinpath(*PROJECT.scenarios.split("."))


def scenario_files() -> list[Path]:
    """Return the scenarios' modules, without `_*.py` and without the modules of their calls and traffic."""
    return [
        path for path in sorted(FOLDER.glob("[!_]*.py")) if _module(path.stem) not in (PROJECT.calls, PROJECT.traffic)
    ]


def scenario_names() -> list[str]:
    return [path.stem for path in scenario_files()]


def import_scenario(name: str) -> Any:
    return import_part(_module(name))


def database_url() -> "URL":
    """Return the address of the configured database. Raises what the project's configuration raises."""
    if PROJECT.database_url:
        from sqlalchemy import make_url

        return make_url(os.environ[PROJECT.database_url])
    url: URL = import_part(PROJECT.configuration).load(os.environ["FLASK_CONFIG"]).database_url
    return url


def _module(name: str) -> str:
    return f"{PROJECT.scenarios}.{name}"
