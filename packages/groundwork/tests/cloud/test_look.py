"""Read-only cloud tasks, on moto, with a few tasks started for the service."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context

from groundwork.cloud import context, health_check
from groundwork.cloud.context import Stage
from groundwork.configuration import loader
from groundwork.production import images
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.tasks.cloud import infrastructure as command
from groundwork.tasks.cloud import release
from groundwork.tasks.cloud import status as look
from packages.groundwork.tests import path
from packages.groundwork.tests.aws import ACCOUNT, REGION, push
from packages.groundwork.tests.cloud.conftest import NAME, Aws, give_image, nothing_new_gets_healthy

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
    assert f"service     {NAME}-web: 2 of 2 tasks running" in told
    assert "alarms      requests fail since " in told
    assert "Running upgrade a -> b, the second thing" in told
    deployments, tasks = told.partition("DEPLOYMENT")[2].split("TASK")
    assert deployments.splitlines()[1].split()[:3] == [f"{NAME}-web:1", "v1", "completed"]
    assert [line.split()[1:3] for line in tasks.splitlines()[1:]] == [["v1", "running"]] * 2


def test_alarms_that_reach_nobody_are_reported_with_what_to_do(
    standing: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.sns.models import sns_backends

    sns = standing.client("sns")
    topic = standing.outputs["alarms_topic"] = sns.create_topic(Name=f"{NAME}-alarms")["TopicArn"]

    look.status(Context())
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    (subscription,) = sns_backends[ACCOUNT][REGION].subscriptions.values()
    with monkeypatch.context() as patched:  # moto has it confirmed at once
        patched.setattr(subscription, "arn", "PendingConfirmation")
        look.status(Context())
    look.status(Context())

    told = [line.partition("none active")[2] for line in capsys.readouterr().out.splitlines() if "none active" in line]
    assert told == [
        "; they reach nobody: set cloud/alarm_email in config/production.json, then inv cloud.apply",
        "; they reach nobody until ops@example.com confirms the subscription mail from AWS",
        "",
    ]


def test_settings_that_wait_for_a_reboot_are_reported_with_its_command(
    standing: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", path.make(tmp_path / "path"))
    waits_for_a_reboot(monkeypatch)

    look.status(Context())
    with pytest.raises(Exit, match="no image can be built here"):
        release.deploy(Context(), tag="v3")

    told = capsys.readouterr()
    command = f"aws rds reboot-db-instance --region {REGION} --db-instance-identifier {NAME}"
    assert "database    the database waits for a reboot: max_connections has its previous value" in told.out
    assert command in told.out
    assert command in told.err


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

    assert str(refused.value) == "no log line contains never in the last 10 minutes: start earlier with --minutes"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"service": "db"}, "--service: should be one of web, proxy, migrate, got 'db'"),
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

    monkeypatch.setattr("groundwork.tasks.cloud.status.time.sleep", wait)

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
        ({"tag": "latest"}, "--tag: latest does not identify a version: choose another tag"),
        ({"tag": "v1", "url": "shop.example.com"}, "--url: should begin with https:// or http://"),
        ({"tag": "proxy-v1"}, "--tag: proxy-v1 is too long, or begins with proxy-: choose another tag"),
        ({"tag": "v" * 123}, f"--tag: {'v' * 123} is too long, or begins with proxy-: choose another tag"),
        ({"tag": "v3"}, "the registry has no v3, and no image can be built here: docker is not installed"),
        (
            {"tag": "v1-dirty"},
            "the registry already has v1-dirty, and its tags cannot be overwritten: commit the changes",
        ),
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


def test_an_archive_with_another_image_than_the_registry_s_is_not_released(
    standing: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = {name: (f"{NAME}-{name}:v1", "sha256:another") for name in ("web", "proxy")}
    monkeypatch.setattr(images, "load", lambda *_: loaded)

    with pytest.raises(Exit) as refused:
        release.deploy(Context(), tag="v1", archive="image.tar")

    assert str(refused.value).startswith("image.tar: the registry already has another image as v1, ")


@pytest.mark.parametrize("meant", ["", "another"])
def test_what_is_not_named_is_not_destroyed(standing: Stage, meant: str) -> None:
    with pytest.raises(Exit) as refused:
        release.destroy(Context(), yes_i_mean=meant)

    assert str(refused.value) == f"nothing was destroyed: confirm with --yes-i-mean {NAME}"


def test_a_version_whose_proxy_was_not_pushed_is_not_rolled_back_to(standing: Stage, aws: Aws) -> None:
    push(aws.environment, NAME, "v0")

    with pytest.raises(Exit) as refused:
        release.rollback(Context(), to="v0")

    assert str(refused.value).startswith("there is no image 'proxy-v0' in ")


def test_nobody_goes_back_to_an_image_that_the_registry_has_not(standing: Stage) -> None:
    with pytest.raises(Exit) as refused:
        release.rollback(Context(), to="v0")

    assert str(refused.value).startswith("there is no image 'v0' in ")
    assert str(refused.value).endswith("; kept are: v1")


@pytest.fixture
def standing(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Return a stage as Terraform would create it: a service with two tasks of version v1."""
    monkeypatch.setenv("MOTO_ECS_SERVICE_RUNNING", "2")
    ecs, ec2 = aws.client("ecs"), aws.client("ec2")
    repository = aws.client("ecr").create_repository(repositoryName=NAME)["repository"]["repositoryUri"]
    aws.client("logs").create_log_group(logGroupName=GROUP)
    ecs.create_cluster(clusterName=NAME)
    define(ecs, "web", f"{repository}:v1")
    define(ecs, "command", f"{repository}:v1")
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
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier=NAME, Engine="postgres", DBInstanceClass="db.t4g.small", AllocatedStorage=20,
        MasterUsername="master", MasterUserPassword="the test's own",
    )  # fmt: skip
    outputs = {
        "cluster": NAME, "service": f"{NAME}-web", "repository_url": repository, "url": URL, "log_group": GROUP,
        "web_family": f"{NAME}-web", "command_family": f"{NAME}-command", "migrate_family": f"{NAME}-migrate",
        "subnets": subnets, "migrate_security_groups": groups,
    }  # fmt: skip
    settings = loader.load("production", missing_secrets="show")
    made = Stage(settings, aws, outputs)

    @contextmanager
    def given(**_: Any) -> Iterator[Stage]:
        with shell.interruptible():
            yield made

    monkeypatch.setattr(context, "looking", given)
    monkeypatch.setattr(context, "working", given)
    return made


def waits_for_a_reboot(patched: pytest.MonkeyPatch) -> None:
    """Make RDS report a pending reboot. In moto, parameters take effect immediately."""
    from moto.rds.models import DBInstance

    def groups(database: Any) -> list[Any]:
        found: list[Any] = database.db_parameter_groups()
        for each in found:
            each.ParameterApplyStatus = "pending-reboot"
        return found

    patched.setattr(DBInstance, "db_parameter_group_status_list", property(groups))


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
    names = {"web": ["web", "proxy"], "command": ["web"], "migrate": ["migrate"]}[use]
    containers = [
        {
            "name": name,
            "image": image.replace(":", ":proxy-") if name == "proxy" else image,
            "memory": 256,
            "essential": True,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": name},
            },
        }
        for name in names
    ]
    registered = ecs.register_task_definition(
        family=f"{NAME}-{use}", networkMode="awsvpc", containerDefinitions=containers
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
