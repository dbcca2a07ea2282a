"""Start of a single ECS task, its log output and its exit code."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundwork.cloud import cloudwatch, service
from groundwork.system import shell
from groundwork.system.errors import Exit

POLL_SECONDS = 2
STARTED_BY = "inv-cloud"


@dataclass(frozen=True)
class Place:
    """Cluster and network of a task."""

    cluster: str
    subnets: list[str]
    security_groups: list[str]


def request(definition: Mapping[str, Any], place: Place, command: Sequence[str] = ()) -> dict[str, Any]:
    """Return the arguments of `run_task`. `command` replaces the container's command."""
    network = {"subnets": place.subnets, "securityGroups": place.security_groups, "assignPublicIp": "DISABLED"}
    override = {"name": service.container(definition)["name"], "command": list(command)}
    return {
        "cluster": place.cluster,
        "taskDefinition": definition["taskDefinitionArn"],
        "launchType": "FARGATE",
        "startedBy": STARTED_BY,
        "networkConfiguration": {"awsvpcConfiguration": network},
        **({"overrides": {"containerOverrides": [override]}} if command else {}),
    }


@dataclass(frozen=True)
class Once:
    ecs: Any
    logs: Any
    place: Place
    definition: Mapping[str, Any]
    name: str
    """Name for messages, such as "the migration"."""

    def running(self) -> str | None:
        """Return the ARN of a running task that an earlier Ctrl-C or another machine left, or None."""
        family = self.definition["family"]
        found = self.ecs.list_tasks(cluster=self.place.cluster, family=family, desiredStatus="RUNNING")["taskArns"]
        alive = [each for each in self._describe(found) if each["lastStatus"] != "STOPPED"]
        return str(alive[0]["taskArn"]) if alive else None

    def start(self, command: Sequence[str] = ()) -> str:
        """Start the task and return its ARN. Raise Exit if ECS cannot place it."""
        answered = self.ecs.run_task(**request(self.definition, self.place, command))
        for failure in answered["failures"]:
            raise Exit(
                f"{self.name} could not be started: {failure.get('reason')} {failure.get('detail', '')}".rstrip(),
                code=1,
            )
        return str(answered["tasks"][0]["taskArn"])

    def stop(self, task: str) -> None:
        """Stop the task; further Ctrl-C cannot interrupt the call."""
        with shell.uninterrupted():
            self.ecs.stop_task(cluster=self.place.cluster, task=task, reason="interrupted")

    def follow(self, task: str, seconds: float, say: Callable[[str], None]) -> None:
        """Pass log lines to `say` until the task ends. Raise Exit on timeout, or with its nonzero exit code."""
        deadline = time.monotonic() + seconds
        said = self._said(task)
        while (described := self._describe([task])[0])["lastStatus"] != "STOPPED":
            for line in next(said):
                say(line)
            if time.monotonic() > deadline:
                raise Exit(f"{self.name} {_id(task)} runs for more than {seconds} s, and runs on", code=1)
            time.sleep(POLL_SECONDS)
        for line in _last(said):
            say(line)
        code, reason = outcome(described)
        if code:
            raise Exit(f"{self.name} ended with {code}{f': {reason}' if reason else ''}", code=code)

    def _said(self, task: str) -> Iterator[list[str]]:
        options = service.container(self.definition)["logConfiguration"]["options"]
        name = service.container(self.definition)["name"]
        stream = f"{options['awslogs-stream-prefix']}/{name}/{_id(task)}"
        # With an exact stream name, CloudWatch fails until the stream exists; a prefix may match nothing.
        found = cloudwatch.following(self.logs, options["awslogs-group"], 0, logStreamNamePrefix=stream)
        return ([each["message"].rstrip() for each in new if each["logStreamName"] == stream] for new in found)

    def _describe(self, tasks: list[str]) -> list[Mapping[str, Any]]:
        if not tasks:
            return []
        found: list[Mapping[str, Any]] = self.ecs.describe_tasks(cluster=self.place.cluster, tasks=tasks)["tasks"]
        return found


def outcome(task: Mapping[str, Any]) -> tuple[int, str]:
    """Return the exit code of an ended task, and the reason if ECS gives one."""
    codes = [each.get("exitCode") for each in task["containers"]]
    reasons = [task.get("stoppedReason", ""), *(each.get("reason", "") for each in task["containers"])]
    reason = "; ".join(filter(None, dict.fromkeys(reasons)))
    if None in codes:  # the container never started, for example because its image is missing
        return 1, reason or "it never started"
    return max(codes), reason


def _last(said: Iterator[list[str]]) -> Iterator[str]:
    """Yield the remaining lines until CloudWatch has returned nothing new twice in a row."""
    quiet = 0
    while quiet < 2:
        new = next(said)
        quiet = 0 if new else quiet + 1
        yield from new
        time.sleep(POLL_SECONDS)


def _id(task: str) -> str:
    return task.rpartition("/")[2]
