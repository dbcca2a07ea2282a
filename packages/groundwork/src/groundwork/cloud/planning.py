"""Terraform plans, their images, and the checks that must pass before a plan is applied."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from groundwork.cloud import changes, service, terraform
from groundwork.cloud.changes import Change
from groundwork.cloud.context import Stage
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.system.progress import step

NAMES = {
    "cpu": "cpu",
    "memory": "memory",
    "networkMode": "network_mode",
    "taskRoleArn": "task_role_arn",
    "executionRoleArn": "execution_role_arn",
}
"""Fields of a task definition: names in ECS and in Terraform."""


@dataclass(frozen=True)
class Plan:
    path: Path
    changes: list[Change]

    @cached_property
    def document(self) -> dict[str, Any]:
        """Output of `terraform show` for the plan."""
        return terraform.show(self.path)


@contextmanager
def planned(images: Mapping[str, str], *options: str) -> Iterator[Plan]:
    """Yield a plan. Delete its file afterwards, because it contains the state."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan"
        with shell.on_interrupt("planning was interrupted: nothing has changed"), step("planning") as now:
            told = terraform.plan(path, images, now, *options)
        yield Plan(path, changes.told(told))


def images(web: str, migrate: str) -> dict[str, str]:
    """Return the images as Terraform variables."""
    return {"web_image": web, "migrate_image": migrate}


def kept(cloud: Stage) -> dict[str, str]:
    """Return the current images. The web image is the running one, even after a failed deploy."""
    web, migrates = serving(cloud), cloud.outputs.get("migrate_task_definition")
    return images(web, service.image(cloud.service.definition(migrates)) if migrates else web)


def serving(cloud: Stage) -> str:
    """Return the image that the service runs; empty before the first release."""
    described = cloud.service.found() if cloud.outputs else None
    return service.image(cloud.service.definition(described["taskDefinition"])) if described else ""


def definition(plan: Plan, family: str) -> dict[str, Any]:
    """Return the planned task definition in ECS format. Raise Exit if it is missing or not yet known."""
    for resource in plan.document["planned_values"]["root_module"].get("resources", []):
        values = resource["values"]
        if resource["type"] == changes.ANEW_EACH_TIME and values.get("family") == family:
            if "container_definitions" not in values:
                raise Exit(f"what {family} would be is known once inv cloud.apply has made what it refers to", code=1)
            containers = json.loads(values["container_definitions"])
            others = {ours: values.get(theirs) for ours, theirs in NAMES.items()}
            return {**others, "containerDefinitions": containers}
    raise Exit(f"the configuration gives no task definition {family}", code=1)


def refuse_what_is_protected(plan: Plan) -> None:
    """Raise Exit if the database is protected: AWS would refuse only after other resources are destroyed."""
    for resource in plan.document.get("resource_changes", []):
        if resource["type"] == changes.DATABASE and (resource["change"]["before"] or {}).get("deletion_protection"):
            raise Exit(
                f"{resource['address']} is protected, and so are its like: nothing was destroyed. "
                "Where it is meant for ever: inv cloud.apply --unprotected, then inv cloud.destroy",
                code=1,
            )


def refuse_losing_the_database(plan: Plan) -> None:
    """Raise Exit if the plan deletes or replaces the database."""
    if lost := changes.lost_database(plan.changes):
        told = "\n".join(map(str, lost))
        raise Exit(f"{told}\nthis would lose the database and all that is in it: nothing was changed", code=1)


def refuse_another_major(plan: Plan) -> None:
    """Raise Exit if the plan changes the database's major version: upgrades are neither an apply nor a release."""
    if not any(each.kind == changes.DATABASE for each in plan.changes):
        return
    for address, before, after in changes.other_majors(plan.document):
        mismatch = f"images/postgres: should be PostgreSQL {before}, as {address}, got {after}"
        raise Exit(f"{mismatch}: nothing was changed. docs/cloud.md describes the upgrade", code=1)


def refuse_more_than_a_release(plan: Plan) -> None:
    """Raise Exit if the plan deletes or replaces more than task definitions: such changes need a review."""
    if lost := changes.beyond_a_release(plan.changes):
        told = "\n".join(map(str, lost))
        raise Exit(f"{told}\nthis is more than a release: look at it and do it by inv cloud.apply", code=1)
