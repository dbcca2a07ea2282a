"""Progress of test runs: lines in a pipe, one line on a terminal, and `-v`."""

import errno
import os
import pty
import re
import subprocess
import sys

import pytest

from packages.groundwork.tests.conftest import Clone
from packages.groundwork.tests.testing.suite.runs import USES_NONE, Run
from packages.groundwork.tests.testing.suite.runs import write as _write

PROGRESS = ("-p", "groundwork.testing.progress")
BREAKS = "def test_breaks(): assert False\n"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_in_a_pipe_each_file_is_a_line_when_it_begins(run: Run, workers: str) -> None:
    finished = run(USES_NONE, BREAKS, USES_NONE, *PROGRESS, "-n", workers)

    shown = re.findall(r"^ *(\d+)%(?:  1 failed)?  (\S+)$", finished.stdout, flags=re.MULTILINE)
    assert sorted(file for _, file in shown) == [f"tests/test_{number}.py" for number in range(3)]
    assert shown[0][0] == "0"
    assert "FAILED tests/test_1.py::test_breaks" in finished.stdout


def test_on_a_terminal_one_line_is_redrawn_and_gone_at_the_end(clone: Clone) -> None:
    places = _write(clone, BREAKS, USES_NONE)
    terminal, its_other_end = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "groundwork.testing.progress",
        "-n",
        "0",
        *places,
    ]

    with subprocess.Popen(command, cwd=clone.folder, env=clone.environment, stdout=its_other_end) as running:
        os.close(its_other_end)
        shown = b"".join(iter(lambda: _read(terminal), b"")).decode()
        assert running.wait(timeout=60) == 1

    os.close(terminal)
    drawn = [line.strip() for line in shown.split("\r")]
    assert [line for line in drawn if line.endswith(".py")] == ["0%  tests/test_0.py", "50%  1 failed  tests/test_1.py"]
    assert drawn[drawn.index("50%  1 failed  tests/test_1.py") + 1] == ""


def test_with_v_pytest_reports_as_always(run: Run) -> None:
    finished = run(USES_NONE, *PROGRESS, "-v")

    assert "tests/test_0.py::test_none PASSED" in finished.stdout


def _read(terminal: int) -> bytes:
    """Read from the terminal. Return nothing if its other end is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError as closed:
        if closed.errno != errno.EIO:
            raise
        return b""
