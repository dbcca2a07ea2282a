"""Fixtures for tests of `./inv`."""

import shutil
from pathlib import Path

import pytest

from groundwork.system import paths
from packages.groundwork.tests.tasks.inv.launcher import TOOLS, UV, command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a checkout and a PATH with only the tools that every system has."""
    folder = tmp_path / "checkout"
    (folder / "path").mkdir(parents=True)
    for tool in TOOLS:
        (folder / "path" / tool).symlink_to(str(shutil.which(tool)))
    shutil.copy(paths.ROOT / "inv", folder / "inv")
    (folder / "uv.lock").write_text('[[package]]\nname = "uv"\nversion = "0.0.7"\n')
    return folder


@pytest.fixture
def uv(folder: Path) -> Path:
    """Create a fake uv that only records its calls, and return the file with the calls."""
    calls = folder.parent / "calls"
    command(folder, "uv", UV.format(calls=calls).removeprefix("#!/bin/sh\n"))
    return calls
