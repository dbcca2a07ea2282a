"""Context of a cloud task: the configuration, the AWS session and the Terraform outputs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from groundwork.cloud import account, database, service, terraform
from groundwork.cloud.ecs_task import Once, Place
from groundwork.cloud.registry import Registry
from groundwork.cloud.service import Described, Service
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.configuration.sections import Cloud
from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from groundwork.system.locks import exclusive

LOCK = paths.LOCAL / "cloud.lock"


@dataclass(frozen=True)
class Stage:
    settings: Configuration
    session: Any
    outputs: dict[str, Any]
    """Terraform outputs; empty before the first `inv cloud.apply`."""

    def client(self, name: str) -> Any:
        return self.session.client(name)

    @cached_property
    def service(self) -> Service:
        return Service(self.client("ecs"), self.outputs["cluster"], self.outputs["service"])

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.client("ecr"), self.outputs["repository_url"])

    @property
    def pending_settings(self) -> str:
        """Database settings that wait for a reboot, with the command for it; empty if all are in effect."""
        name, region = self.settings.cloud.name, self.settings.cloud.region
        if not database.reboot_is_due(self.client("rds"), name):
            return ""
        return (
            "the database waits for a reboot: max_connections has its previous value, and inv config.check counts on "
            f"the new one; a reboot ends every connection: {database.reboot_command(name, region)}"
        )

    def migration(self) -> Once:
        """Return the migration with its newest task definition. Raise Exit if there is none."""
        ecs, family = self.client("ecs"), self.outputs["migrate_family"]
        if not ecs.list_task_definitions(familyPrefix=family, status="ACTIVE")["taskDefinitionArns"]:
            raise Exit("there is no image to migrate with yet: inv cloud.deploy gives it one", code=1)
        return self._once(self.service.definition(family), "the migration")

    def command(self) -> Once:
        """Return a command task with the image, settings and role of the service. Raise Exit without a service.

        It is another task definition, since in that of the service nginx waits until the service is healthy.
        """
        runs = service.image(self.service.definition())
        return self._once(self.service.newest_with(runs, self.outputs["command_family"]), "the command")

    def _once(self, definition: Described, name: str) -> Once:
        # The task serves no requests and connects only to the database, so the migration's network suits it.
        place = Place(self.outputs["cluster"], self.outputs["subnets"], self.outputs["migrate_security_groups"])
        return Once(self.client("ecs"), self.client("logs"), place, definition, name)


@contextmanager
def looking() -> Iterator[Stage]:
    """Yield the stage for read-only tasks. Raise Exit if nothing was applied yet."""
    with shell.interruptible(), account.told():
        yield _opened()


@contextmanager
def working(*, first: bool = False) -> Iterator[Stage]:
    """Lock this checkout and yield the stage. Terraform locks out other checkouts. `first` allows an empty stack."""
    busy = "another inv cloud task is at work from this checkout"
    with shell.interruptible(), exclusive(LOCK, busy), account.told():
        yield _opened(first=first)


def _opened(*, first: bool = False) -> Stage:
    settings = loader.load("production", missing_secrets="show")
    cloud = settings.cloud
    terraform.require()
    session = account.session(cloud.region, cloud.account)
    terraform.init(_backend(cloud))
    outputs = terraform.outputs()
    if not outputs and not first:
        raise Exit("nothing is there yet: inv cloud.apply makes it", code=1)
    return Stage(settings, session, outputs)


def _backend(cloud: Cloud) -> dict[str, str]:
    """Return the S3 location of the Terraform state, which all checkouts share."""
    return {"bucket": cloud.state_bucket, "region": cloud.region}
