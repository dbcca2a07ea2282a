"""Fixture for tests that write migrations."""

import shutil
from pathlib import Path

import pytest

from tests.app.migrations.command_line import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with its own revisions, so that new ones do not affect parallel tests."""
    shutil.copytree(ROOT / "alembic", tmp_path / "alembic")
    shutil.copy(ROOT / "alembic.ini", tmp_path)
    for name in ("app", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path
