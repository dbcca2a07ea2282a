"""Entry point for pytest. It loads the fixtures and the options in a project, and nothing in other folders."""

from pathlib import Path

import pytest

TABLE = "[tool.groundwork]"


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    if in_project(Path.cwd()):
        for name in ("run", "requirements", "fixtures"):
            pluginmanager.import_plugin(f"groundwork.testing.{name}")


def in_project(folder: Path) -> bool:
    """Return whether this folder or one above it has a pyproject.toml with the table.

    `groundwork.contract` cannot tell, since importing it outside a project ends the program.
    """
    files = (each / "pyproject.toml" for each in (folder, *folder.parents))
    return any(TABLE in file.read_text("utf-8", errors="replace") for file in files if file.is_file())
