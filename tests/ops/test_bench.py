"""What keeps `inv bench.…` from measuring anything, as it is typed. What is measured, tests/benchmarks looks at."""

import subprocess

from ops import alone, shell
from tests.ops.conftest import Clone, on_small_disk

SIZES = ["--orders", "2000", "--seconds", "1", "--requests", "2000", "--rounds", "1"]


def test_a_full_disk_is_one_line(clone: Clone) -> None:
    small = on_small_disk(clone.folder / ".local" / "tmp", "64k")
    package = shell.python("benchmarks.http", *SIZES)  # the package alone: the task would install its environment

    ended = subprocess.run(
        [*small, *package], cwd=clone.folder, env=clone.environment, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("nothing was measured: ")
    assert "No space left on device" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_second_one_is_told_to_wait(clone: Clone) -> None:
    with alone.alone(clone.folder / ".local" / "benchmarks.lock", "held"):
        ended = clone.inv("bench.tests")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "another benchmark measures here: wait until it has ended\n"
