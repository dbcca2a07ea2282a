"""ECS tasks that run once, for migrations and commands: image, exit and interruption."""

from typing import Any

import pytest
from invoke.context import Context

from groundwork.cloud.context import Stage
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.tasks.cloud import infrastructure as command
from groundwork.tasks.cloud import release
from packages.groundwork.tests.cloud.conftest import NAME
from packages.groundwork.tests.cloud.stage import define


@pytest.mark.usefixtures("tasks_that_go_on")
def test_a_migration_that_is_interrupted_runs_on_and_the_next_waits_for_it(
    standing: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("groundwork.cloud.ecs_task.time.sleep", interrupt)
        with pytest.raises(Exit) as ended:
            release.migrate(Context())
    assert ended.value.code == shell.INTERRUPTED
    assert str(ended.value) == (
        "the migration continues on AWS: the next inv cloud.migrate or cloud.deploy waits for it; "
        "its logs: inv cloud.logs --service migrate"
    )
    (task,) = standing.client("ecs").list_tasks(cluster=NAME, family=f"{NAME}-migrate")["taskArns"]

    monkeypatch.setattr("groundwork.cloud.ecs_task.time.sleep", lambda _: end_tasks())
    release.migrate(Context())

    assert f"waiting for the migration {task.rpartition('/')[2]}, which is already running" in capsys.readouterr().err


def test_a_command_runs_as_the_service_does_and_ends_with_its_exit_code(
    standing: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("groundwork.cloud.ecs_task.POLL_SECONDS", 0.01)

    command.execute(Context(), "flask --app wsgi make-staff you@example.com")

    (ran,) = [each for each in aws_tasks(standing) if each["overrides"].get("containerOverrides")]
    assert ran["taskDefinitionArn"].endswith(f"{NAME}-command:1")
    (override,) = ran["overrides"]["containerOverrides"]
    assert override == {"name": "web", "command": ["sh", "-ec", "flask --app wsgi make-staff you@example.com"]}


def test_a_command_has_the_image_of_the_service_even_if_a_newer_one_was_tried(standing: Stage) -> None:
    define(standing.client("ecs"), "command", standing.registry.reference("v2"))

    one_off = standing.command()
    with pytest.raises(Exit, match=rf"{NAME}-command has no task definition with .*:v3: inv cloud.apply registers it"):
        standing.service.newest_with(standing.registry.reference("v3"), f"{NAME}-command")

    assert one_off.definition["taskDefinitionArn"].endswith(f"{NAME}-command:1")


@pytest.mark.usefixtures("tasks_that_go_on")
def test_a_command_that_is_interrupted_is_stopped(standing: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("groundwork.cloud.ecs_task.time.sleep", interrupt)

    with pytest.raises(Exit) as ended:
        command.execute(Context(), "sleep 1000")

    assert (ended.value.code, str(ended.value)) == (
        shell.INTERRUPTED,
        "interrupted: ECS was asked to stop the command",
    )
    (ran,) = [each for each in aws_tasks(standing) if each["overrides"].get("containerOverrides")]
    assert ran["desiredStatus"] == "STOPPED"


def test_no_command_is_none(standing: Stage) -> None:
    with pytest.raises(Exit, match="no command given"):
        command.execute(Context(), " ")


def aws_tasks(standing: Stage) -> list[dict[str, Any]]:
    ecs = standing.client("ecs")
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in ecs.list_tasks(cluster=NAME, desiredStatus=status)["taskArns"]
    ]
    found: list[dict[str, Any]] = ecs.describe_tasks(cluster=NAME, tasks=arns)["tasks"]
    return found


def end_tasks() -> None:
    from moto.moto_api import state_manager

    state_manager.set_transition("ecs::task", {"progression": "immediate"})
