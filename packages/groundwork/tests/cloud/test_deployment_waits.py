"""Waits for a deployment: interruption, timeouts, and a version that does not answer."""

import pytest
from invoke.context import Context

from groundwork.cloud import health_check
from groundwork.cloud.context import Stage
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.tasks.cloud import release
from packages.groundwork.tests.cloud.conftest import NAME, Aws


@pytest.mark.parametrize("running", [1, 2], ids=["until it is stable", "until it answers"])
def test_a_wait_that_is_interrupted_says_how_to_go_on(
    standing: Stage, aws: Aws, monkeypatch: pytest.MonkeyPatch, running: int
) -> None:
    """Other tests cover the earlier steps with the real Terraform."""

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    definition = standing.service.describe()["taskDefinition"]
    aws.ecs.services[f"{NAME}:{NAME}-web"].running_count = running
    monkeypatch.setattr(release, "_release", lambda *_: None)
    monkeypatch.setattr("groundwork.cloud.terraform.outputs", lambda: {"web_task_definition": definition})
    monkeypatch.setattr("groundwork.cloud.service.time.sleep", interrupt)

    with pytest.raises(Exit) as ended:
        release.rollback(Context(), to="v1", url="http://127.0.0.1:1")

    assert ended.value.code == shell.INTERRUPTED
    assert str(ended.value) == (
        "ECS continues the deployment of v1: inv cloud.status shows its progress; "
        "run inv cloud.rollback again to continue"
    )


def test_a_version_that_does_not_answer_is_told_with_what_answers_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exit) as failed:
        health_check.wait_for("v2", "http://127.0.0.1:1", seconds=0)

    assert str(failed.value).startswith("http://127.0.0.1:1/healthz should answer with the version v2, but does not (")


def test_what_never_gets_all_its_tasks_is_given_up_in_time(standing: Stage, aws: Aws) -> None:
    aws.ecs.services[f"{NAME}:{NAME}-web"].running_count = 1

    with pytest.raises(Exit) as late:
        standing.service.wait_until_stable(standing.service.describe()["taskDefinition"], 0, lambda _: None)

    assert str(late.value) == "not stable after 0 s (1 of 2 run, 0 failed, completed)"
