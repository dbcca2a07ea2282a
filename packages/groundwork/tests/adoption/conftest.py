"""An existing project, and what docs/adopt.md tells to change in it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from packages.groundwork.tests.conftest import Clone, end_what_runs
from packages.groundwork.tests.docs import blocks, pages

collect_ignore = ["blog"]
BLOG = Path(__file__).with_name("blog")
PAGE = pages.DOCS / "adopt.md"
EVERY_PART = "Describe the project"


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[Clone]:
    """Return the project with the files that Flask-Migrate generates, described as the page says."""
    folder = tmp_path / "blog"
    shutil.copytree(BLOG, folder, ignore=shutil.ignore_patterns("__pycache__", "versions"))
    (folder / "migrations").rmdir()
    blog = Clone.in_folder(folder)
    run(blog, "flask", "--app", "application", "db", "init")
    shutil.copytree(BLOG / "migrations" / "versions", folder / "migrations" / "versions", dirs_exist_ok=True)
    follow(blog, EVERY_PART)
    yield blog
    end_what_runs(blog)


def follow(blog: Clone, section: str) -> None:
    """Write the files and make the edits of a section of the page."""
    found = [block for block in blocks.of(PAGE) if block.section == section and block.note in ("file", *blocks.EDITS)]
    assert found
    for block in found:
        block.apply(blog.folder)


def run(blog: Clone, module: str, *arguments: str) -> str:
    """Return the output. Fail with it unless the exit code is 0."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=blog.folder, env=blog.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
