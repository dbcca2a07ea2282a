"""One-off tasks on moto. It runs no containers, so tests set log lines and exit codes."""

import time

import pytest

from groundwork.cloud import ecs_task
from groundwork.cloud.ecs_task import Once, Place
from groundwork.system.errors import Exit
from packages.groundwork.tests.aws import REGION
from packages.groundwork.tests.cloud.conftest import Aws

GROUP = "/shop/service"


def test_a_migration_is_followed_to_its_end_and_says_what_it_says(
    migration: Once, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    task = migration.start()
    say(aws, task, "Running upgrade a -> b", "Running upgrade b -> c")
    say(aws, "another", "of somebody else")
    told: list[str] = []

    migration.follow(task, 60, told.append)

    assert told == ["Running upgrade a -> b", "Running upgrade b -> c"]
    assert migration.running() is None


def test_one_that_fails_ends_with_its_exit_code(migration: Once, aws: Aws) -> None:
    task = migration.start()
    say(aws, task, 'column "nonsense" does not exist')
    ends(aws, task, code=3, reason="Essential container in task exited")
    told: list[str] = []

    with pytest.raises(Exit) as failed:
        migration.follow(task, 60, told.append)

    assert failed.value.code == 3
    assert str(failed.value) == "the migration ended with 3: Essential container in task exited"
    assert told == ['column "nonsense" does not exist']


def test_one_that_is_never_started_says_why(migration: Once, aws: Aws) -> None:
    task = migration.start()
    ends(aws, task, code=None, reason="CannotPullContainerError: not found")

    with pytest.raises(Exit) as failed:
        migration.follow(task, 60, print)

    assert failed.value.code == 1
    assert "CannotPullContainerError: not found" in str(failed.value)


@pytest.mark.usefixtures("tasks_that_go_on")
def test_one_that_takes_too_long_is_left_alone_and_found_again(migration: Once) -> None:
    task = migration.start()

    with pytest.raises(Exit) as late:
        migration.follow(task, 0, print)

    assert str(late.value) == f"the migration {task.rpartition('/')[2]} runs for more than 0 s, and runs on"
    assert migration.running() == task


def test_a_command_takes_the_place_of_the_container_s_own(migration: Once, aws: Aws) -> None:
    task = migration.start(["sh", "-ec", "flask --app wsgi prune"])

    (override,) = aws.ecs.tasks["shop"][task].overrides["containerOverrides"]
    assert override == {"name": "migrate", "command": ["sh", "-ec", "flask --app wsgi prune"]}


@pytest.mark.usefixtures("tasks_that_go_on")
def test_what_is_stopped_does_not_run_any_more(migration: Once) -> None:
    task = migration.start()

    migration.stop(task)

    assert migration.running() is None


@pytest.fixture
def migration(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Once:
    """Return a migration task with all resources that it needs."""
    monkeypatch.setattr(ecs_task, "POLL_SECONDS", 0.01)
    ec2, ecs, logs = (aws.client(name) for name in ("ec2", "ecs", "logs"))
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    groups = [each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]]
    logs.create_log_group(logGroupName=GROUP)
    ecs.create_cluster(clusterName="shop")
    options = {"awslogs-group": GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": "migrate"}
    container = {
        "name": "migrate",
        "image": "shop:v1",
        "memory": 256,
        "essential": True,
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    definition = ecs.register_task_definition(
        family="shop-migrate", networkMode="awsvpc", containerDefinitions=[container]
    )["taskDefinition"]
    return Once(ecs, logs, Place("shop", subnets[:2], groups[:1]), definition, "the migration")


def say(aws: Aws, task: str, *messages: str) -> None:
    logs, stream = aws.client("logs"), f"migrate/migrate/{task.rpartition('/')[2]}"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def ends(aws: Aws, task: str, code: int | None, reason: str) -> None:
    found = aws.ecs.tasks["shop"][task]
    found.containers[0].exitCode = code
    found.stopped_reason = reason
