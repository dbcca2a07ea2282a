"""`inv cloud.…`, what is looked at on AWS while it serves: its state, its settings, what it says."""

import time
from collections.abc import Iterator
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import options, shell, table
from ops.cloud import differences, lines, planning, service, stage
from ops.cloud.service import Described
from ops.cloud.stage import Stage

SERVICES = ("web", "migrate")
MINUTES_SHOWN = 10
MIGRATED = "Running upgrade"
"""As Alembic says it."""


@task
def status(_: Context) -> None:
    """Show what runs on AWS, and how it is.

    The service and its deployments, the tasks with their health and version,
    the alarms, the last migration.

    Example: inv cloud.status
    """
    with stage.looking() as cloud:
        described = cloud.service.found()
        shell.say(f"page        {cloud.outputs['url']}")
        if not described:
            raise Exit("the service has no image yet: inv cloud.deploy gives it one", code=1)
        shell.say(f"service     {_counts(described)}")
        shell.say(f"alarms      {', '.join(_alarms(cloud)) or 'none rings'}")
        shell.say(f"migrated    {_last_migration(cloud) or 'nothing was said of it lately'}")
        shell.say("")
        table.show([("DEPLOYMENT", "VERSION", "STATE", "RUNNING", "FAILED", "SINCE"), *_deployments(cloud, described)])
        shell.say("")
        table.show([("TASK", "VERSION", "STATE", "HEALTH", "TARGET", "ZONE", "SINCE"), *_tasks(cloud, described)])


@task
def diff(_: Context) -> None:
    """Fail where what runs is not what is configured.

    It shows where the task definition that runs differs from what the
    configuration would give.

    Example: inv cloud.diff
    """
    with stage.looking() as cloud:
        runs = cloud.service.definition()
        with planning.planned(planning.kept(cloud)) as plan:
            found = differences.between(runs, planning.definition(plan, cloud.outputs["web_family"]))
        if not found:
            shell.say(f"{service.revision(runs['taskDefinitionArn'])} is what the configuration gives")
            return
        table.show([("NAME", "RUNS", "WOULD"), *found])
        raise Exit("inv cloud.apply makes it the same", code=1)


@task(
    help={
        "follow": "go on until Ctrl-C",
        "request": "only the lines with this id: the service answers each request with one, in X-Request-ID",
        "service": "only that one's: web or migrate",
        "minutes": f"how far back; by default {MINUTES_SHOWN}",
    }
)
def logs(
    _: Context, follow: bool = False, request: str = "", service: str = "", minutes: str = str(MINUTES_SHOWN)
) -> None:
    """Show what the containers say, from CloudWatch.

    Example: inv cloud.logs --service web --minutes 30
    """
    if service and service not in SERVICES:
        raise Exit(f"--service: should be {' or '.join(SERVICES)}, got {service!r}", code=1)
    since = lines.now_ms() - 60_000 * options.number("minutes", minutes)
    with stage.looking() as cloud:
        found = False
        narrowed = {"filterPattern": lines.pattern(request)} if request else {}
        for line in _lines(cloud, follow, since, narrowed):
            if line["logStreamName"].startswith(service) and request in line["message"]:
                found = True
                shell.say(line["message"].rstrip() if request else lines.shown(line))
        if not found:
            what = f"no line has {request}" if request else "nothing was said"
            raise Exit(f"{what} in the last {minutes} minutes: --minutes looks further back", code=1)


def _lines(cloud: Stage, follow: bool, since: int, narrowed: dict[str, str]) -> Iterator[lines.Line]:
    client, group = cloud.client("logs"), cloud.outputs["log_group"]
    if not follow:
        yield from lines.of_group(client, group, startTime=since, **narrowed)
        return
    for new in lines.following(client, group, since, **narrowed):
        yield from new
        time.sleep(lines.POLL_SECONDS)


def _counts(described: Described) -> str:
    running, wanted, pending = (described[f"{name}Count"] for name in ("running", "desired", "pending"))
    return f"{described['serviceName']}: {running} of {wanted} run{f', {pending} start' if pending else ''}"


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
    """What the load balancer thinks of each address, and why where it is not healthy."""
    found = {}
    client = cloud.client("elbv2")
    for balancer in described.get("loadBalancers", []):
        answered = client.describe_target_health(TargetGroupArn=balancer["targetGroupArn"])
        for each in answered["TargetHealthDescriptions"]:
            health = each["TargetHealth"]
            reason = f" ({health['Reason']})" if "Reason" in health else ""
            found[each["Target"]["Id"]] = f"{health['State']}{reason}"
    return found


def _alarms(cloud: Stage) -> list[str]:
    """Those that ring."""
    prefix = f"{cloud.described['name']}: "
    found = cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix, StateValue="ALARM")["MetricAlarms"]
    return [f"{each['AlarmName'].removeprefix(prefix)} since {_when(each['StateUpdatedTimestamp'])}" for each in found]


def _last_migration(cloud: Stage) -> str:
    """As Alembic said it: the database itself is reached from inside the network alone."""
    said: dict[str, Any] | None = None
    for line in lines.of_group(
        cloud.client("logs"),
        cloud.outputs["log_group"],
        filterPattern=lines.pattern(MIGRATED),
        logStreamNamePrefix="migrate/",
    ):
        if MIGRATED in line["message"]:
            said = line
    return lines.shown(said) if said else ""


def _when(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
