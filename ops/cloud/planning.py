"""What Terraform would do, with which images; a plan is made here and looked at before anything is done."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from invoke.exceptions import Exit

from ops import shell
from ops.cloud import changes, service, terraform
from ops.cloud.changes import Change
from ops.cloud.stage import Stage
from ops.progress import step

NAMES = {
    "cpu": "cpu",
    "memory": "memory",
    "networkMode": "network_mode",
    "taskRoleArn": "task_role_arn",
    "executionRoleArn": "execution_role_arn",
}
"""Of a task definition, as ECS and as Terraform have them."""


@dataclass(frozen=True)
class Plan:
    path: Path
    changes: list[Change]

    @cached_property
    def document(self) -> dict[str, Any]:
        """All that is in it."""
        return terraform.show(self.path)


@contextmanager
def planned(images: Mapping[str, str], *options: str) -> Iterator[Plan]:
    """The plan's file is gone afterwards: it holds what the state holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan"
        with shell.interrupted("planning was interrupted: nothing has changed"), step("planning") as now:
            told = terraform.plan(path, images, now, *options)
        yield Plan(path, changes.told(told))


def images(web: str, migrate: str) -> dict[str, str]:
    """As variables of Terraform."""
    return {"web_image": web, "migrate_image": migrate}


def kept(cloud: Stage) -> dict[str, str]:
    """The images that are there: that of the service is what runs, whatever a deploy that failed has left behind."""
    web, migrates = serving(cloud), cloud.outputs.get("migrate_task_definition")
    return images(web, service.image(cloud.service.definition(migrates)) if migrates else web)


def serving(cloud: Stage) -> str:
    """The image of the service; empty before the first release."""
    described = cloud.service.found() if cloud.outputs else None
    return service.image(cloud.service.definition(described["taskDefinition"])) if described else ""


def definition(plan: Plan, family: str) -> dict[str, Any]:
    """What that task definition would be, as ECS would describe it."""
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
    """Raises Exit where AWS would refuse to destroy the database, once much else is destroyed."""
    for resource in plan.document.get("resource_changes", []):
        if resource["type"] == changes.DATABASE and (resource["change"]["before"] or {}).get("deletion_protection"):
            raise Exit(
                f"{resource['address']} is protected, and so are its like: nothing was destroyed. "
                "Where it is meant for ever: inv cloud.apply --unprotected, then inv cloud.destroy",
                code=1,
            )


def refuse_losing_the_database(plan: Plan) -> None:
    """Raises Exit where the plan does."""
    if lost := changes.lost_database(plan.changes):
        told = "\n".join(map(str, lost))
        raise Exit(f"{told}\nthis would lose the database and all that is in it: nothing was changed", code=1)


def refuse_more_than_a_release(plan: Plan) -> None:
    """Raises Exit where more than task definitions would be put aside: somebody should look at that."""
    if lost := changes.beyond_a_release(plan.changes):
        told = "\n".join(map(str, lost))
        raise Exit(f"{told}\nthis is more than a release: look at it and do it by inv cloud.apply", code=1)
