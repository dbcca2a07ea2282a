"""A task that runs once, and is followed to its end: what it says, and its exit code."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoke.exceptions import Exit

from ops import shell
from ops.cloud import lines, service

POLL_SECONDS = 2
STARTED_BY = "inv-cloud"


@dataclass(frozen=True)
class Place:
    """Where a task is to run."""

    cluster: str
    subnets: list[str]
    security_groups: list[str]


def request(definition: Mapping[str, Any], place: Place, command: Sequence[str] = ()) -> dict[str, Any]:
    """What ECS is asked for; with a command, in place of the container's own."""
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
    """As people call it: the migration."""

    def running(self) -> str | None:
        """One that was left alone, by a Ctrl-C or by another machine."""
        family = self.definition["family"]
        found = self.ecs.list_tasks(cluster=self.place.cluster, family=family, desiredStatus="RUNNING")["taskArns"]
        alive = [each for each in self._describe(found) if each["lastStatus"] != "STOPPED"]
        return str(alive[0]["taskArn"]) if alive else None

    def start(self, command: Sequence[str] = ()) -> str:
        """Its ARN. Raises Exit where ECS has no place for it."""
        answered = self.ecs.run_task(**request(self.definition, self.place, command))
        for failure in answered["failures"]:
            raise Exit(
                f"{self.name} could not be started: {failure.get('reason')} {failure.get('detail', '')}".rstrip(),
                code=1,
            )
        return str(answered["tasks"][0]["taskArn"])

    def stop(self, task: str) -> None:
        """However impatient the user is."""
        with shell.uninterrupted():
            self.ecs.stop_task(cluster=self.place.cluster, task=task, reason="interrupted")

    def follow(self, task: str, seconds: float, say: Callable[[str], None]) -> None:
        """To its end. Raises Exit with its own exit code where that is not 0, or it takes too long."""
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
        # By its prefix, since a stream that is not there yet is no error then.
        found = lines.following(self.logs, options["awslogs-group"], 0, logStreamNamePrefix=stream)
        return ([each["message"].rstrip() for each in new if each["logStreamName"] == stream] for new in found)

    def _describe(self, tasks: list[str]) -> list[Mapping[str, Any]]:
        if not tasks:
            return []
        found: list[Mapping[str, Any]] = self.ecs.describe_tasks(cluster=self.place.cluster, tasks=tasks)["tasks"]
        return found


def outcome(task: Mapping[str, Any]) -> tuple[int, str]:
    """The exit code of what has ended, and why where it was not the program that ended it."""
    codes = [each.get("exitCode") for each in task["containers"]]
    reasons = [task.get("stoppedReason", ""), *(each.get("reason", "") for each in task["containers"])]
    reason = "; ".join(filter(None, dict.fromkeys(reasons)))
    if None in codes:  # it was never started, as where its image is not to be had
        return 1, reason or "it never started"
    return max(codes), reason


def _last(said: Iterator[list[str]]) -> Iterator[str]:
    """Until CloudWatch has had nothing new twice."""
    quiet = 0
    while quiet < 2:
        new = next(said)
        quiet = 0 if new else quiet + 1
        yield from new
        time.sleep(POLL_SECONDS)


def _id(task: str) -> str:
    return task.rpartition("/")[2]
