"""Verdicts on deployments from ECS service descriptions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groundwork.cloud import service

OLD, NEW = (f"arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-web:{number}" for number in (1, 2))


def test_all_of_the_new_and_nothing_of_the_old_is_stable() -> None:
    assert service.judge(described(deployment(NEW, "COMPLETED", running=3)), NEW).stable


@pytest.mark.parametrize(
    "halfway",
    [
        [{"running": 2, "state": "IN_PROGRESS"}],
        [{"running": 3, "state": "IN_PROGRESS"}],
        [{"running": 3, "state": "COMPLETED"}, {"status": "ACTIVE", "running": 1, "state": "COMPLETED"}],
    ],
)
def test_halfway_there_is_waited_for(halfway: list[dict[str, Any]]) -> None:
    verdict = service.judge(described(*[deployment(NEW, **each) for each in halfway]), NEW)

    assert (verdict.stable, verdict.failure) == (False, "")
    assert "of 3 run, 0 failed, " in verdict.progress


def test_a_deployment_that_the_circuit_breaker_ends_has_failed_with_its_reason() -> None:
    """The values follow the documentation of DescribeServices, because tasks in moto cannot fail."""
    failed = {**deployment(NEW, "FAILED", running=0, status="ACTIVE"), "failedTasks": 3}
    failed["rolloutStateReason"] = "ECS deployment circuit breaker: tasks failed to start."

    verdict = service.judge(described(deployment(OLD, "IN_PROGRESS", running=3), failed), NEW)

    assert verdict.failure == "ECS deployment circuit breaker: tasks failed to start."


def test_a_service_that_has_gone_back_has_failed() -> None:
    verdict = service.judge(described(deployment(OLD, "COMPLETED", running=3)), NEW)

    assert verdict.failure == "the service runs shop-web:1 again"


def test_what_ecs_said_meanwhile_is_told_in_its_order() -> None:
    began = datetime(2026, 1, 1, 12, tzinfo=UTC)
    said = [(2, "(service web) rolling back."), (1, "(service web) task failed."), (-1, "steady state.")]
    events = [{"createdAt": began + timedelta(minutes=minutes), "message": what} for minutes, what in said]

    told = service.events({"events": events}, began)

    assert told == ["12:01:00 (service web) task failed.", "12:02:00 (service web) rolling back."]


def test_a_version_is_what_the_tag_of_an_image_says() -> None:
    assert service.version("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop:v1.2") == "v1.2"
    assert service.version("127.0.0.1:5000/shop:v1.2") == "v1.2"


def deployment(definition: str, state: str, running: int, status: str = "PRIMARY") -> dict[str, Any]:
    return {"status": status, "taskDefinition": definition, "rolloutState": state, "runningCount": running}


def described(*deployments: dict[str, Any]) -> dict[str, Any]:
    return {
        "taskDefinition": deployments[0]["taskDefinition"],
        "runningCount": sum(each["runningCount"] for each in deployments[:1]),
        "pendingCount": 0,
        "desiredCount": 3,
        "deployments": list(deployments),
        "events": [],
    }
