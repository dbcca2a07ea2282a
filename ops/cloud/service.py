"""The service on ECS: what runs, what it was made from, and whether a deployment has arrived."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from invoke.exceptions import Exit

POLL_SECONDS = 3
EVENTS_SHOWN = 10
Described = Mapping[str, Any]
"""As ECS describes a service or a task definition."""


@dataclass(frozen=True)
class Verdict:
    """How far a deployment is."""

    progress: str
    stable: bool = False
    failure: str = ""


@dataclass(frozen=True)
class Service:
    ecs: Any
    cluster: str
    name: str

    def found(self) -> Described | None:
        """None before the first image was given to it."""
        found = self.ecs.describe_services(cluster=self.cluster, services=[self.name])["services"]
        return next((each for each in found if each["status"] != "INACTIVE"), None)

    def describe(self) -> Described:
        """Raises Exit where there is none."""
        if (found := self.found()) is None:
            raise Exit(f"there is no service {self.name} yet: inv cloud.deploy gives it an image", code=1)
        return found

    def definition(self, name: str = "") -> Described:
        """That task definition, or the newest of that family; by default the one that the service runs."""
        wanted = name or self.describe()["taskDefinition"]
        found: Described = self.ecs.describe_task_definition(taskDefinition=wanted)["taskDefinition"]
        return found

    def version_before(self) -> str:
        """That of the newest deployment that succeeded with another image. Raises Exit without one."""
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
        """Deployments of the last 90 days: as long as ECS keeps them."""
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
        """On that task definition. Raises Exit where it does not get there."""
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
    """Whether the service runs that task definition, all of it and nothing else."""
    running, wanted, deployments = service["runningCount"], service["desiredCount"], service["deployments"]
    primary: Described = next((each for each in deployments if each["status"] == "PRIMARY"), {})
    state = primary.get("rolloutState", "")
    failed = [each for each in deployments if each.get("rolloutState") == "FAILED"]
    others = [each for each in deployments if each["status"] != "PRIMARY" and each.get("runningCount")]
    progress = f"{running} of {wanted} run, {primary.get('failedTasks', 0)} failed, {state.lower().replace('_', ' ')}"
    if failed:
        return Verdict(progress, failure=failed[0].get("rolloutStateReason", "the deployment failed"))
    if service["taskDefinition"] != definition:  # ECS has gone back, as the circuit breaker has it
        return Verdict(progress, failure=f"the service runs {revision(service['taskDefinition'])} again")
    there = running == wanted and not service["pendingCount"] and not others
    return Verdict(progress, stable=there and state in ("", "COMPLETED"))


def events(service: Described, since: datetime) -> list[str]:
    """What ECS said of it since then, the oldest first."""
    said = [each for each in service["events"] if each["createdAt"] >= since]
    return [f"{each['createdAt']:%H:%M:%S} {each['message']}" for each in reversed(said[:EVENTS_SHOWN])]


def image(definition: Described) -> str:
    return str(container(definition)["image"])


def container(definition: Described) -> Mapping[str, Any]:
    """The one that is the service: the essential one."""
    found: list[Mapping[str, Any]] = definition["containerDefinitions"]
    return next((each for each in found if each.get("essential", True)), found[0])


def version(image: str) -> str:
    """What its tag says."""
    return image.rpartition("/")[2].partition(":")[2]


def revision(definition: str) -> str:
    """As people call it: web:12."""
    return definition.rpartition("/")[2]
