"""Commands and output in the documentation pages. `-k databases` selects one page."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from groundwork.system import paths
from packages.groundwork.tests.conftest import make_clone
from packages.groundwork.tests.docs import blocks, newcomer, pages
from packages.groundwork.tests.docs.blocks import Block

ADOPT = pages.DOCS / "adopt.md"
"""Page that packages/groundwork/tests/adoption follows in another project."""
PAGES = [page for page in pages.every() if any(True for _ in blocks.of(page))]
TYPED_ALONE = [
    page
    for page in PAGES
    if page not in (*newcomer.IN_A_ROW, ADOPT)
    and any(block.note not in (*blocks.NOT_RUN, "run by") for block in blocks.of(page))
]

NOT_RUN = {
    "README.md": 1,
    "docs/adopt.md": 2,
    "docs/benchmarks.md": 1,
    "docs/cloud.md": 1,
    "docs/deploy.md": 2,
    "docs/index.md": 1,
    "docs/migrations.md": 1,
    "docs/pipelines.md": 1,
    "docs/tutorial.md": 2,
    "docs/your-project.md": 2,
}
"""Number of blocks of each page that no test runs; the page gives the reason."""


@pytest.mark.parametrize("page", TYPED_ALONE, ids=lambda page: page.stem)
def test_a_page_tells_what_happens(page: Path, tmp_path: Path) -> None:
    """If the checkout already has the page's edits, because a reader has followed it, skip the page."""
    found = list(blocks.of(page))
    if done := [block.line for block in found if block.is_done(paths.ROOT)]:
        pytest.skip(f"{page.name}: this checkout already has what the lines {done} tell to write")
    if lacking := programs_lacking(found):
        pytest.skip(f"needs {lacking}")

    with newcomer.arrived(make_clone(tmp_path)) as somebody:
        differences = list(newcomer.differences(somebody, [page]))

    if differences:
        pytest.fail("\n".join(differences), pytrace=False)


def test_the_gate_types_the_pages_that_follow_each_other() -> None:
    script = (paths.ROOT / ".ci" / "newcomer").read_text("utf-8")

    assert " ".join(page.stem for page in newcomer.IN_A_ROW) in script


def test_the_blocks_that_are_not_run_are_these_and_say_why() -> None:
    left_out = [
        (str(page.relative_to(paths.ROOT)), block.detail)
        for page in PAGES
        for block in blocks.of(page)
        if block.note in blocks.NOT_RUN
    ]

    assert Counter(page for page, _ in left_out) == NOT_RUN
    assert all(len(reason.split()) > 2 for _, reason in left_out)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_block_that_is_run_elsewhere_is_run_there(page: Path) -> None:
    for block in blocks.of(page):
        if block.note == "run by" and not block.is_for_the_gate:
            test = (paths.ROOT / block.detail).read_text("utf-8")
            tasks = re.findall(r"\binv ([a-z.-]+)", block.text)
            assert tasks, f"{page.name}:{block.line} calls no task"
            assert not [task for task in tasks if task not in test], f"{page.name}:{block.line} says so"


def programs_lacking(found: list[Block]) -> str:
    """Return the program that the commands need and this machine lacks; empty if there is none."""
    typed = "\n".join(command.typed for block in found for command in block.commands)
    if "curl " not in typed:
        return ""
    if not shutil.which("curl"):
        return "curl"
    known = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=False).stdout
    return "" if " --json " not in typed or "--json " in known else "a curl that has --json, 7.82 or newer"
