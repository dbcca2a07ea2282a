"""`inv cloud.status`: versions, tasks, alarms, migrations and settings that wait for a reboot."""

from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context

from groundwork.cloud.context import Stage
from groundwork.system.errors import Exit
from groundwork.tasks.cloud import release
from groundwork.tasks.cloud import status as look
from packages.groundwork.tests import path
from packages.groundwork.tests.aws import ACCOUNT, REGION
from packages.groundwork.tests.cloud.conftest import NAME
from packages.groundwork.tests.cloud.stage import write


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


def waits_for_a_reboot(patched: pytest.MonkeyPatch) -> None:
    """Make RDS report a pending reboot. In moto, parameters take effect immediately."""
    from moto.rds.models import DBInstance

    def groups(database: Any) -> list[Any]:
        found: list[Any] = database.db_parameter_groups()
        for each in found:
            each.ParameterApplyStatus = "pending-reboot"
        return found

    patched.setattr(DBInstance, "db_parameter_group_status_list", property(groups))
