"""ECS service: running tasks, task definitions and the progress of deployments."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from groundwork.system.errors import Exit

POLL_SECONDS = 3
PROXY = "proxy"
"""Name of the container of nginx."""
EVENTS_SHOWN = 10
Described = Mapping[str, Any]
"""ECS description of a service or a task definition."""


@dataclass(frozen=True)
class Verdict:
    """Progress of a deployment."""

    progress: str
    stable: bool = False
    failure: str = ""


@dataclass(frozen=True)
class Service:
    ecs: Any
    cluster: str
    name: str

    def found(self) -> Described | None:
        """Return the service, or None before the first deploy."""
        found = self.ecs.describe_services(cluster=self.cluster, services=[self.name])["services"]
        return next((each for each in found if each["status"] != "INACTIVE"), None)

    def describe(self) -> Described:
        """Return the service. Raise Exit if there is none."""
        if (found := self.found()) is None:
            raise Exit(f"there is no service {self.name} yet: inv cloud.deploy gives it an image", code=1)
        return found

    def definition(self, name: str = "") -> Described:
        """Return the named task definition or the newest of a family; by default, the one of the service."""
        wanted = name or self.describe()["taskDefinition"]
        found: Described = self.ecs.describe_task_definition(taskDefinition=wanted)["taskDefinition"]
        return found

    def newest_with(self, wanted: str, family: str) -> Described:
        """Return the newest task definition of a family with this image. Raise Exit if there is none."""
        pages = self.ecs.get_paginator("list_task_definitions").paginate(familyPrefix=family, status="ACTIVE")
        arns = [arn for page in pages for arn in page["taskDefinitionArns"]]
        for arn in sorted(arns, key=lambda each: int(each.rpartition(":")[2]), reverse=True):
            if image(found := self.definition(arn)) == wanted:
                return found
        raise Exit(f"{family} has no task definition with {wanted}: inv cloud.apply registers it", code=1)

    def version_before(self) -> str:
        """Return the version of the newest successful deployment with another image. Raise Exit if there is none."""
        runs = image(self.definition())
        for deployment in sorted(self._succeeded(), key=lambda each: each["createdAt"], reverse=True):
            revision_of_the_service = [deployment["targetServiceRevisionArn"]]
            (found,) = self.ecs.describe_service_revisions(serviceRevisionArns=revision_of_the_service)[
                "serviceRevisions"
            ]
            if (before := image(self.definition(found["taskDefinition"]))) != runs:
                return version(before)
        raise Exit(
            f"nothing else than {version(runs)} has served lately: inv cloud.rollback --to takes any version that the "
            "registry has",
            code=1,
        )

    def _succeeded(self) -> Iterator[Described]:
        """Yield the successful deployments of the last 90 days; ECS keeps none longer."""
        asked = {"cluster": self.cluster, "service": self.name, "status": ["SUCCESSFUL"]}
        while True:
            answered = self.ecs.list_service_deployments(**asked)
            yield from answered["serviceDeployments"]
            if not (more := answered.get("nextToken")):
                return
            asked["nextToken"] = more

    def tasks(self) -> list[Described]:
        pages = self.ecs.get_paginator("list_tasks").paginate(cluster=self.cluster, serviceName=self.name)
        arns = [arn for page in pages for arn in page["taskArns"]]
        if not arns:
            return []
        tasks = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"]
        return [each for each in tasks if each.get("group") == f"service:{self.name}"]

    def wait_until_stable(self, definition: str, seconds: int, told: Callable[[str], None]) -> None:
        """Wait until the service is stable on the task definition. Raise Exit on failure or timeout."""
        deadline = time.monotonic() + seconds
        while True:
            described = self.describe()
            verdict = judge(described, definition)
            if verdict.stable:
                return
            told(verdict.progress)
            late = f"not stable after {seconds} s ({verdict.progress})" if time.monotonic() > deadline else ""
            if failure := verdict.failure or late:
                raise Exit(failure, code=1)
            time.sleep(POLL_SECONDS)


def judge(service: Described, definition: str) -> Verdict:
    """Judge a deployment: it is stable once all tasks run this task definition and no other deployment has tasks."""
    running, wanted, deployments = service["runningCount"], service["desiredCount"], service["deployments"]
    primary: Described = next((each for each in deployments if each["status"] == "PRIMARY"), {})
    state = primary.get("rolloutState", "")
    failed = [each for each in deployments if each.get("rolloutState") == "FAILED"]
    others = [each for each in deployments if each["status"] != "PRIMARY" and each.get("runningCount")]
    progress = f"{running} of {wanted} run, {primary.get('failedTasks', 0)} failed, {state.lower().replace('_', ' ')}"
    if failed:
        return Verdict(progress, failure=failed[0].get("rolloutStateReason", "the deployment failed"))
    if service["taskDefinition"] != definition:  # the circuit breaker has rolled back
        return Verdict(progress, failure=f"the service runs {revision(service['taskDefinition'])} again")
    there = running == wanted and not service["pendingCount"] and not others
    return Verdict(progress, stable=there and state in ("", "COMPLETED"))


def events(service: Described, since: datetime) -> list[str]:
    """Return the newest EVENTS_SHOWN events of the service since then, oldest first."""
    said = [each for each in service["events"] if each["createdAt"] >= since]
    return [f"{each['createdAt']:%H:%M:%S} {each['message']}" for each in reversed(said[:EVENTS_SHOWN])]


def image(definition: Described) -> str:
    return str(container(definition)["image"])


def container(definition: Described) -> Mapping[str, Any]:
    """Return the container that runs the service or the migration, and not the one of nginx."""
    found = containers(definition)
    return next(each for name, each in found.items() if name != PROXY)


def containers(definition: Described) -> dict[str, Mapping[str, Any]]:
    """Return the containers by name."""
    return {each["name"]: each for each in definition["containerDefinitions"]}


def version(image: str) -> str:
    """Return the tag of an image."""
    return image.rpartition("/")[2].partition(":")[2]


def revision(definition: str) -> str:
    """Return the short name of a task definition ARN, such as `web:12`."""
    return definition.rpartition("/")[2]
