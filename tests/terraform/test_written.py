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


def test_a_task_has_the_smallest_size_that_holds_its_container(stack: Stack) -> None:
    stack.configure(lambda document: document["containers"]["web"].update(cpus=0.3, memory_mb=3000))
    tests = stack.folder / "terraform" / "tests" / "stack.tftest.hcl"
    stand_ins = tests.read_text("utf-8").partition('run "')[0]
    tests.write_text(stand_ins + SIZE, "utf-8")
    stack.init("-backend=false")

    tested = stack.terraform("test", "-no-color")

    assert tested.code == 0, tested.said


SIZE = """
run "size" {
  command = plan
  plan_options {
    target = [aws_ecs_task_definition.web]
  }
  assert {
    condition     = [aws_ecs_task_definition.web[0].cpu, aws_ecs_task_definition.web[0].memory] == ["512", "3072"]
    error_message = "${aws_ecs_task_definition.web[0].cpu} and ${aws_ecs_task_definition.web[0].memory}"
  }
}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, aws.CREDENTIALS)
