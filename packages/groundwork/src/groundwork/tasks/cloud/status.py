"""Tasks `inv cloud.…` that only read from AWS: status, drift, logs."""

import time
from collections.abc import Iterator
from typing import Any

from invoke.context import Context
from invoke.tasks import task

from groundwork.cloud import cloudwatch, context, differences, planning, service
from groundwork.cloud.context import Stage
from groundwork.cloud.service import Described
from groundwork.system import shell, table
from groundwork.system.errors import Exit
from groundwork.tasks import arguments

SERVICES = ("web", "proxy", "migrate")
DEFAULT_MINUTES = 10
MIGRATED = "Running upgrade"
"""Log message of Alembic."""


@task
def status(_: Context) -> None:
    """Show deployments, tasks, versions, health, alarms.

    It also shows the last migration.

    Example: inv cloud.status
    """
    with context.looking() as cloud:
        described = cloud.service.found()
        shell.say(f"page        {cloud.outputs['url']}")
        if not described:
            raise Exit("nothing is deployed yet: run inv cloud.deploy", code=1)
        shell.say(f"service     {_counts(described)}")
        if pending := cloud.pending_settings:
            shell.say(f"database    {pending}")
        shell.say(f"alarms      {', '.join(_alarms(cloud)) or 'none active'}{_missing_subscription(cloud)}")
        shell.say(f"migrated    {_last_migration(cloud) or 'no recent log line about a migration'}")
        shell.say("")
        table.show([("DEPLOYMENT", "VERSION", "STATE", "RUNNING", "FAILED", "SINCE"), *_deployments(cloud, described)])
        shell.say("")
        table.show([("TASK", "VERSION", "STATE", "HEALTH", "TARGET", "ZONE", "SINCE"), *_tasks(cloud, described)])


@task
def diff(_: Context) -> None:
    """Fail on configuration drift.

    It compares the running task definition with the one that the configuration
    would produce.

    Example: inv cloud.diff
    """
    with context.looking() as cloud:
        running = cloud.service.definition()
        with planning.planned(planning.kept(cloud)) as plan:
            drift = differences.between(running, planning.definition(plan, cloud.outputs["web_family"]))
        if not drift:
            shell.say(f"{service.revision(running['taskDefinitionArn'])} matches the configuration")
            return
        table.show([("NAME", "RUNNING", "CONFIGURED"), *drift])
        raise Exit("the running service differs from the configuration: inv cloud.apply updates it", code=1)


@task(
    help={
        "follow": "print new lines until Ctrl-C",
        "request": "only the lines with this request id, from the response header X-Request-ID",
        "service": "only the lines of one container: web, proxy (nginx) or migrate",
        "minutes": f"start this many minutes ago; by default {DEFAULT_MINUTES}",
    }
)
def logs(
    _: Context, follow: bool = False, request: str = "", service: str = "", minutes: str = str(DEFAULT_MINUTES)
) -> None:
    """Show the containers' logs from CloudWatch.

    Example: inv cloud.logs --service web --minutes 30
    """
    if service and service not in SERVICES:
        raise Exit(f"--service: should be one of {', '.join(SERVICES)}, got {service!r}", code=1)
    since = cloudwatch.now_ms() - 60_000 * arguments.number("minutes", minutes)
    with context.looking() as cloud:
        found = False
        filters = {"filterPattern": cloudwatch.pattern(request)} if request else {}
        for line in _lines(cloud, follow, since, filters):
            if line["logStreamName"].startswith(service) and request in line["message"]:
                found = True
                shell.say(line["message"].rstrip() if request else cloudwatch.shown(line))
        if not found:
            what = f"no log line contains {request}" if request else "there are no log lines"
            raise Exit(f"{what} in the last {minutes} minutes: start earlier with --minutes", code=1)


def _lines(cloud: Stage, follow: bool, since: int, filters: dict[str, str]) -> Iterator[cloudwatch.Line]:
    client, group = cloud.client("logs"), cloud.outputs["log_group"]
    if not follow:
        yield from cloudwatch.of_group(client, group, startTime=since, **filters)
        return
    for new in cloudwatch.following(client, group, since, **filters):
        yield from new
        time.sleep(cloudwatch.POLL_SECONDS)


def _counts(described: Described) -> str:
    running, wanted, pending = (described[f"{name}Count"] for name in ("running", "desired", "pending"))
    starting = f", {pending} starting" if pending else ""
    return f"{described['serviceName']}: {running} of {wanted} tasks running{starting}"


def _deployments(cloud: Stage, described: Described) -> Iterator[tuple[str, ...]]:
    for each in described["deployments"]:
        definition = cloud.service.definition(each["taskDefinition"])
        yield (
            service.revision(each["taskDefinition"]),
            service.version(service.image(definition)),
            each.get("rolloutState", each["status"]).lower().replace("_", " "),
            f"{each['runningCount']} of {each['desiredCount']}",
            str(each.get("failedTasks", 0)),
            _when(each["createdAt"]),
        )


def _tasks(cloud: Stage, described: Described) -> Iterator[tuple[str, ...]]:
    targets = _targets(cloud, described)
    for each in cloud.service.tasks():
        container = next((part for part in each["containers"] if part["name"] == "web"), each["containers"][0])
        address = next((part["privateIpv4Address"] for part in container.get("networkInterfaces", [])), "")
        yield (
            each["taskArn"].rpartition("/")[2][:8],
            service.version(container.get("image", "")),
            each["lastStatus"].lower(),
            each.get("healthStatus", "").lower(),
            targets.get(address, ""),
            each.get("availabilityZone", ""),
            _when(each["startedAt"]) if "startedAt" in each else "",
        )


def _targets(cloud: Stage, described: Described) -> dict[str, str]:
    """Return the target health by address, with the load balancer's reason if it is unhealthy."""
    targets = {}
    client = cloud.client("elbv2")
    for balancer in described.get("loadBalancers", []):
        response = client.describe_target_health(TargetGroupArn=balancer["targetGroupArn"])
        for each in response["TargetHealthDescriptions"]:
            health = each["TargetHealth"]
            reason = f" ({health['Reason']})" if "Reason" in health else ""
            targets[each["Target"]["Id"]] = f"{health['State']}{reason}"
    return targets


def _alarms(cloud: Stage) -> list[str]:
    """Return the alarms in state ALARM, with the time since when."""
    prefix = f"{cloud.settings.cloud.name}: "
    found = cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix, StateValue="ALARM")["MetricAlarms"]
    return [f"{each['AlarmName'].removeprefix(prefix)} since {_when(each['StateUpdatedTimestamp'])}" for each in found]


def _missing_subscription(cloud: Stage) -> str:
    """Return a remedy if no address receives the alarms; AWS sends none to an address before it confirms."""
    if not (topic := cloud.outputs.get("alarms_topic")):
        return ""
    found = cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    if any(each["SubscriptionArn"].startswith("arn:") for each in found):
        return ""
    if found:
        return f"; they reach nobody until {found[0]['Endpoint']} confirms the subscription mail from AWS"
    return "; they reach nobody: set cloud/alarm_email in config/production.json, then inv cloud.apply"


def _last_migration(cloud: Stage) -> str:
    """Return the last migration from Alembic's logs, since the database is reachable only inside the VPC."""
    last: dict[str, Any] | None = None
    for line in cloudwatch.of_group(
        cloud.client("logs"),
        cloud.outputs["log_group"],
        filterPattern=cloudwatch.pattern(MIGRATED),
        logStreamNamePrefix="migrate/",
    ):
        if MIGRATED in line["message"]:
            last = line
    return cloudwatch.shown(last) if last else ""


def _when(timestamp: Any) -> str:
    return f"{timestamp:%Y-%m-%d %H:%M:%S}"
