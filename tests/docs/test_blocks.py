"""What the pages tell to type is typed, and what they show is what is seen: `-k day-one` for one page."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ops import project
from tests.docs import blocks, newcomer, pages
from tests.docs.blocks import Block

PAGES = [page for page in pages.every() if any(True for _ in blocks.of(page))]

LEFT_OUT = {
    (page.relative_to(project.ROOT), block.detail)
    for page in PAGES
    for block in blocks.of(page)
    if block.note in blocks.NOT_RUN
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_tells_what_happens(page: Path, tmp_path: Path) -> None:
    found = list(blocks.of(page))
    if all(block.note in (*blocks.NOT_RUN, "run by") for block in found):
        return
    if lacking := programs_lacking(found):
        pytest.skip(f"needs {lacking}")

    with newcomer.arrived(tmp_path) as somebody:
        differences = [
            f"{page.relative_to(project.ROOT)}:{block.line}: {difference}"
            for block in found
            for difference in somebody.follow(block)
        ]

    if differences:
        pytest.fail("\n".join(differences), pytrace=False)


@pytest.mark.parametrize(("page", "reason"), sorted(LEFT_OUT), ids=str)
def test_a_block_that_cannot_run_here_says_why(page: Path, reason: str) -> None:
    pytest.skip(f"{page}: {reason}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_block_that_is_run_elsewhere_is_run_there(page: Path) -> None:
    for block in blocks.of(page):
        if block.note == "run by":
            test = (project.ROOT / block.detail).read_text("utf-8")
            tasks = re.findall(r"\binv ([a-z.-]+)", block.text)
            assert tasks, f"{page.name}:{block.line} calls no task"
            assert not [task for task in tasks if task not in test], f"{page.name}:{block.line} says so"


def programs_lacking(found: list[Block]) -> str:
    """What the commands call besides git and the tasks, and this machine has not."""
    typed = "\n".join(command.typed for block in found for command in block.commands)
    lacking = [name for name in ("curl", "jq") if re.search(rf"\b{name} ", typed) and not shutil.which(name)]
    if " --json " in typed and "curl" not in lacking:
        known = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=False).stdout
        lacking += [] if "--json " in known else ["a curl that has --json, 7.82 or newer"]
    return " and ".join(lacking)
