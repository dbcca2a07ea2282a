"""`inv test` and the arguments that it passes to pytest."""

import pytest

from groundwork.tasks import test as suite
from packages.groundwork.tests.conftest import Clone


def test_the_suites_own_options_come_before_the_callers() -> None:
    command = suite.pytest_command(["-n", "0", "-k", "stock"])

    assert command[1:4] == ["-m", "pytest", "--numprocesses"]
    assert command[-4:] == ["-n", "0", "-k", "stock"]


@pytest.mark.parametrize(
    ("command_line", "arguments"),
    [
        (["inv", "test"], []),
        (["inv", "test", "--"], []),
        (["inv", "test", "--", "-k", "a or b", "-x"], ["-k", "a or b", "-x"]),
    ],
)
def test_pytests_arguments_arrive_as_they_were_typed(command_line: list[str], arguments: list[str]) -> None:
    assert suite.after_dashes(command_line) == arguments


def test_the_exit_code_is_pytests(clone: Clone) -> None:
    no_test_selected = 5

    path = "packages/groundwork/tests/system/test_ports.py"
    ran = clone.inv("test", "--", path, "-n", "0", "--no-cov", "-k", "such or none")

    assert ran.returncode == no_test_selected
    assert "deselected" in ran.stdout
