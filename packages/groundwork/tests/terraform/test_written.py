"""Format and validity of terraform/, and its own tests of a plan."""

from pathlib import Path

import pytest

from packages.groundwork.tests import aws
from packages.groundwork.tests.terraform.stack import Stack

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


def test_a_task_has_the_smallest_size_that_holds_its_containers(stack: Stack) -> None:
    stack.configure(lambda document: document["containers"]["web"].update(cpus=0.3, memory_mb=2000))
    stack.configure(lambda document: document["containers"]["proxy"].update(cpus=0.2, memory_mb=1000))
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
