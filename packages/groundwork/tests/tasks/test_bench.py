"""Failures of `inv bench.…` on the command line. packages/groundwork/tests/benchmarks covers the measurements."""

import subprocess

from groundwork.system import locks, shell
from packages.groundwork.tests.conftest import Clone, on_small_disk

SIZES = ["--orders", "2000", "--seconds", "1", "--requests", "2000", "--rounds", "1"]


def test_a_full_disk_is_one_line(clone: Clone) -> None:
    small = on_small_disk(clone.folder / ".local" / "tmp", "64k")
    package = shell.python(
        "packages.groundwork.benchmarks.http", *SIZES
    )  # the package alone: the task would install its environment

    ended = subprocess.run(
        [*small, *package], cwd=clone.folder, env=clone.environment, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("nothing was measured: ")
    assert "No space left on device" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_second_one_is_told_to_wait(clone: Clone) -> None:
    with locks.exclusive(clone.folder / ".local" / "benchmarks.lock", "held"):
        ended = clone.inv("bench.tests")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "another benchmark is running here: wait until it has ended\n"
