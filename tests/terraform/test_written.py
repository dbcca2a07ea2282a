"""terraform/ as it is written: its form, its types, and what its own tests say of a plan."""

from pathlib import Path

import pytest

from tests import aws
from tests.terraform.stack import Stack

pytestmark = pytest.mark.terraform


def test_it_is_formatted(stack: Stack) -> None:
    checked = stack.terraform("fmt", "-check", "-recursive", "-diff")

    assert checked.code == 0, checked.said


@pytest.mark.parametrize("module", [".", "bootstrap"])
def test_it_is_valid(stack: Stack, module: str) -> None:
    stack.init("-backend=false", module=module)

    checked = stack.terraform("validate", "-no-color", module=module)

    assert checked.code == 0, checked.said


def test_a_plan_is_what_it_should_be(stack: Stack) -> None:
    stack.init("-backend=false")

    tested = stack.terraform("test", "-no-color")

    assert tested.code == 0, tested.said
    assert "0 failed" in tested.said


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, aws.CREDENTIALS)
