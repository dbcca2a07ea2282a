"""What is seen of the service, on moto, where a few tasks were started in its name."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from ops import configuration, shell
from ops.cloud import answer, command, look, release, stage
from ops.cloud.stage import Stage
from tests.aws import REGION
from tests.ops import path
from tests.ops.cloud.conftest import NAME, Aws, give_image, nothing_new_gets_healthy

GROUP = f"/{NAME}/service"
URL = "https://shop.example.com"


@pytest.mark.usefixtures("tasks_that_go_on")
def test_the_state_tells_versions_tasks_alarms_and_the_last_migration(
    standing: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudwatch = standing.client("cloudwatch")
    for name in ("requests fail", "the disk gets full"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"{NAME}: {name}", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1,
            MetricName="m", Namespace="n", Period=60, Statistic="Sum", Threshold=1,
        )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=f"{NAME}: requests fail", StateValue="ALARM", StateReason="tried")
    write(standing, "migrate/migrate/1", "INFO Running upgrade a -> b, the second thing")

    look.status(Context())

    told = capsys.readouterr().out
    assert f"service     {NAME}-web: 2 of 2 run" in told
    assert "alarms      requests fail since " in told
    assert "Running upgrade a -> b, the second thing" in told
    deployments, tasks = told.partition("DEPLOYMENT")[2].split("TASK")
    assert deployments.splitlines()[1].split()[:3] == [f"{NAME}-web:1", "v1", "completed"]
    assert [line.split()[1:3] for line in tasks.splitlines()[1:]] == [["v1", "running"]] * 2


def test_one_request_s_lines_are_told_without_the_others(standing: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    write(standing, "web/web/1", '{"event": "request", "request_id": "abc-1"}', '{"request_id": "abc-2"}')

    look.logs(Context(), request="abc-1")

    assert capsys.readouterr().out == '{"event": "request", "request_id": "abc-1"}\n'


def test_lines_are_told_with_their_time_and_of_one_service_where_that_is_asked(
    standing: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    write(standing, "web/web/1", "of the service")
    write(standing, "migrate/migrate/1", "of the migration")

    look.logs(Context(), service="migrate")

    when, _, said = capsys.readouterr().out.partition(" ")
    assert (when[-1], said) == ("Z", "of the migration\n")


def test_where_nothing_was_said_a_line_says_so(standing: Stage) -> None:
    with pytest.raises(Exit) as refused:
        look.logs(Context(), request="never")

    assert str(refused.value) == "no line has never in the last 10 minutes: --minutes looks further back"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"service": "db"}, "--service: should be web or migrate, got 'db'"),
        ({"minutes": "0"}, "--minutes: should be at least 1, got 0"),
        ({"minutes": "ten"}, "--minutes: should be a whole number, got 'ten'"),
    ],
)
def test_wrong_options_are_told(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(Exit) as refused:
        look.logs(Context(), **options)

    assert str(refused.value) == complaint


def test_logs_that_are_followed_tell_what_comes_until_ctrl_c(
    standing: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(standing, "web/web/1", "before")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) > 1:
            raise KeyboardInterrupt
        write(standing, "web/web/2", "meanwhile")

    monkeypatch.setattr("ops.cloud.look.time.sleep", wait)

    with pytest.raises(Exit) as ended:
        look.logs(Context(), follow=True)

    assert ended.value.code == shell.INTERRUPTED
    assert [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()] == ["before", "meanwhile"]


@pytest.mark.usefixtures("tasks_that_go_on")
def test_a_migration_that_is_interrupted_runs_on_and_the_next_waits_for_it(
    standing: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ops.cloud.once.time.sleep", interrupt)
        with pytest.raises(Exit) as ended:
            release.migrate(Context())
    assert ended.value.code == shell.INTERRUPTED
    assert str(ended.value) == (
        "the migration runs on by itself: inv cloud.logs --service migrate shows it; "
        "the next inv cloud.migrate or cloud.deploy waits for it"
    )
    (task,) = standing.client("ecs").list_tasks(cluster=NAME, family=f"{NAME}-migrate")["taskArns"]

    monkeypatch.setattr("ops.cloud.once.time.sleep", lambda _: end_tasks())
    release.migrate(Context())

    assert f"waiting for the migration {task.rpartition('/')[2]} that runs already" in capsys.readouterr().err


def test_a_command_runs_as_the_service_does_and_ends_with_its_exit_code(
    standing: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ops.cloud.once.POLL_SECONDS", 0.01)

    command.execute(Context(), "flask --app wsgi make-staff you@example.com")

    (ran,) = [each for each in aws_tasks(standing) if each["overrides"].get("containerOverrides")]
    assert ran["taskDefinitionArn"].endswith(f"{NAME}-web:1")
    (override,) = ran["overrides"]["containerOverrides"]
    assert override == {"name": "web", "command": ["sh", "-ec", "flask --app wsgi make-staff you@example.com"]}


@pytest.mark.usefixtures("tasks_that_go_on")
def test_a_command_that_is_interrupted_is_stopped(standing: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ops.cloud.once.time.sleep", interrupt)

    with pytest.raises(Exit) as ended:
        command.execute(Context(), "sleep 1000")

    assert (ended.value.code, str(ended.value)) == (
        shell.INTERRUPTED,
        "the command was interrupted, and ECS told to stop it",
    )
    (ran,) = [each for each in aws_tasks(standing) if each["overrides"].get("containerOverrides")]
    assert ran["desiredStatus"] == "STOPPED"


def test_no_command_is_none(standing: Stage) -> None:
    with pytest.raises(Exit, match="which command"):
        command.execute(Context(), " ")


@pytest.mark.parametrize("running", [1, 2], ids=["until it is stable", "until it answers"])
def test_a_wait_that_is_interrupted_says_how_to_go_on(
    standing: Stage, aws: Aws, monkeypatch: pytest.MonkeyPatch, running: int
) -> None:
    """What Terraform does before is tried with the real one."""

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    definition = standing.service.describe()["taskDefinition"]
    aws.ecs.services[f"{NAME}:{NAME}-web"].running_count = running
    monkeypatch.setattr(release, "_release", lambda *_: None)
    monkeypatch.setattr("ops.cloud.terraform.outputs", lambda: {"web_task_definition": definition})
    monkeypatch.setattr("ops.cloud.service.time.sleep", interrupt)

    with pytest.raises(Exit) as ended:
        release.rollback(Context(), to="v1", url="http://127.0.0.1:1")

    assert ended.value.code == shell.INTERRUPTED
    assert str(ended.value) == (
        "ECS goes on by itself: inv cloud.status shows how far v1 is; inv cloud.rollback again goes on from there"
    )


def test_a_version_that_does_not_answer_is_told_with_what_answers_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exit) as failed:
        answer.wait_for("v2", "http://127.0.0.1:1", seconds=0)

    assert str(failed.value).startswith("http://127.0.0.1:1/healthz should answer with the version v2, but does not (")


def test_what_never_gets_all_its_tasks_is_given_up_in_time(standing: Stage, aws: Aws) -> None:
    aws.ecs.services[f"{NAME}:{NAME}-web"].running_count = 1

    with pytest.raises(Exit) as late:
        standing.service.wait_until_stable(standing.service.describe()["taskDefinition"], 0, lambda _: None)

    assert str(late.value) == "not stable after 0 s (1 of 2 run, 0 failed, completed)"


def test_going_back_leads_to_the_last_other_image_that_has_served(
    standing: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_to(standing, "v2")
    assert standing.service.version_before() == "v1"
    with monkeypatch.context() as patched:
        nothing_new_gets_healthy(patched)
        release_to(standing, "v3")
    assert standing.service.version_before() == "v1"
    release_to(standing, "v4")
    release_to(standing, "v4")

    assert standing.service.version_before() == "v2"


def test_where_nothing_else_has_served_there_is_nothing_to_go_back_to(standing: Stage) -> None:
    with pytest.raises(Exit) as refused:
        release.rollback(Context())

    assert str(refused.value) == (
        "nothing else than v1 has served lately: inv cloud.rollback --to takes any version that the registry has"
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"tag": "v1 or so"}, "--tag: should be letters, digits, dots, dashes and underscores, got 'v1 or so'"),
        ({"tag": "latest"}, "--tag: latest says nothing of what is in the image: name the version"),
        ({"tag": "v1", "url": "shop.example.com"}, "--url: should begin with https:// or http://"),
        ({"tag": "v3"}, "the registry has no v3, and it cannot be built here: docker is not installed"),
        ({"tag": "v1-dirty"}, "the registry has a v1-dirty already, and keeps what it has: commit what has changed"),
    ],
)
def test_what_cannot_be_released_is_refused_first(
    standing: Stage, aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, str], complaint: str
) -> None:
    monkeypatch.setenv("PATH", path.make(tmp_path / "path"))
    give_image(aws, "v1-dirty")

    with pytest.raises(Exit) as refused:
        release.deploy(Context(), **options)

    assert str(refused.value).startswith(complaint)


@pytest.mark.parametrize("meant", ["", "another"])
def test_what_is_not_named_is_not_destroyed(standing: Stage, meant: str) -> None:
    with pytest.raises(Exit) as refused:
        release.destroy(Context(), yes_i_mean=meant)

    assert str(refused.value) == f"nothing was destroyed: that wants --yes-i-mean {NAME}"


def test_nobody_goes_back_to_an_image_that_the_registry_has_not(standing: Stage) -> None:
    with pytest.raises(Exit) as refused:
        release.rollback(Context(), to="v0")

    assert str(refused.value).startswith("there is no image 'v0' in ")
    assert str(refused.value).endswith("; kept are: v1")


@pytest.fixture
def standing(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """What Terraform would have made: a service with two tasks of version v1."""
    monkeypatch.setenv("MOTO_ECS_SERVICE_RUNNING", "2")
    ecs, ec2 = aws.client("ecs"), aws.client("ec2")
    repository = aws.client("ecr").create_repository(repositoryName=NAME)["repository"]["repositoryUri"]
    aws.client("logs").create_log_group(logGroupName=GROUP)
    ecs.create_cluster(clusterName=NAME)
    define(ecs, "web", f"{repository}:v1")
    define(ecs, "migrate", f"{repository}:v1")
    give_image(aws, "v1")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    groups = [each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]]
    ecs.create_service(cluster=NAME, serviceName=f"{NAME}-web", taskDefinition=f"{NAME}-web:1", desiredCount=2)
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups}}
    ecs.run_task(
        cluster=NAME,
        launchType="FARGATE",
        taskDefinition=f"{NAME}-web:1",
        count=2,
        group=f"service:{NAME}-web",
        networkConfiguration=network,
    )
    outputs = {
        "cluster": NAME, "service": f"{NAME}-web", "repository_url": repository, "url": URL, "log_group": GROUP,
        "web_family": f"{NAME}-web", "migrate_family": f"{NAME}-migrate",
        "subnets": subnets, "migrate_security_groups": groups,
    }  # fmt: skip
    settings = configuration.load("production", missing_secrets="show")
    made = Stage(settings, aws, outputs)

    @contextmanager
    def given(**_: Any) -> Iterator[Stage]:
        with shell.interruptible():
            yield made

    monkeypatch.setattr(stage, "looking", given)
    monkeypatch.setattr(stage, "working", given)
    return made


def aws_tasks(standing: Stage) -> list[dict[str, Any]]:
    ecs = standing.client("ecs")
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in ecs.list_tasks(cluster=NAME, desiredStatus=status)["taskArns"]
    ]
    found: list[dict[str, Any]] = ecs.describe_tasks(cluster=NAME, tasks=arns)["tasks"]
    return found


def release_to(standing: Stage, version: str) -> None:
    ecs = standing.client("ecs")
    definition = define(ecs, "web", standing.registry.reference(version))
    ecs.update_service(cluster=NAME, service=f"{NAME}-web", taskDefinition=definition)


def define(ecs: Any, use: str, image: str) -> str:
    options = {"awslogs-group": GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": use}
    logs = {"logDriver": "awslogs", "options": options}
    container = {"name": use, "image": image, "memory": 256, "essential": True, "logConfiguration": logs}
    registered = ecs.register_task_definition(
        family=f"{NAME}-{use}", networkMode="awsvpc", containerDefinitions=[container]
    )
    return str(registered["taskDefinition"]["taskDefinitionArn"])


def write(standing: Stage, stream: str, *messages: str) -> None:
    logs, now = standing.client("logs"), int(time.time() * 1000)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": now + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def end_tasks() -> None:
    from moto.moto_api import state_manager

    state_manager.set_transition("ecs::task", {"progression": "immediate"})
