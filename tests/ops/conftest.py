"""A checkout of its own for a test of the tasks: the real configuration files, nothing else of the project."""

import shutil
from pathlib import Path

import pytest

from ops import project


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(project.CONFIG, tmp_path / "config")
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setattr(project, "CONFIG", tmp_path / "config")
    monkeypatch.setattr(project, "LOCAL", tmp_path / ".local")
    return tmp_path
