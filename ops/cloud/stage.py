"""What a task works on: the configuration, whose AWS it is, and what Terraform made there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from invoke.exceptions import Exit

from ops import configuration, project, shell
from ops.alone import alone
from ops.cloud import account, terraform
from ops.cloud.once import Once, Place
from ops.cloud.registry import Registry
from ops.cloud.service import Described, Service
from ops.configuration import Configuration, Document

LOCK = project.LOCAL / "cloud.lock"


@dataclass(frozen=True)
class Stage:
    settings: Configuration
    session: Any
    outputs: dict[str, Any]
    """Of Terraform; empty before the first `inv cloud.apply`."""

    def client(self, name: str) -> Any:
        return self.session.client(name)

    @cached_property
    def service(self) -> Service:
        return Service(self.client("ecs"), self.outputs["cluster"], self.outputs["service"])

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.client("ecr"), self.outputs["repository_url"])

    def migration(self) -> Once:
        """By the newest of its task definitions. Raises Exit where there is none."""
        ecs, family = self.client("ecs"), self.outputs["migrate_family"]
        if not ecs.list_task_definitions(familyPrefix=family, status="ACTIVE")["taskDefinitionArns"]:
            raise Exit("there is no image to migrate with yet: inv cloud.deploy gives it one", code=1)
        return self._once(self.service.definition(family), "the migration")

    def command(self) -> Once:
        """In a container as the service has them, with its settings and its rights. Raises Exit where there is none."""
        return self._once(self.service.definition(), "the command")

    def _once(self, definition: Described, name: str) -> Once:
        # Nobody calls it, and it calls nobody but the database: where the migration is, each may be.
        place = Place(self.outputs["cluster"], self.outputs["subnets"], self.outputs["migrate_security_groups"])
        return Once(self.client("ecs"), self.client("logs"), place, definition, name)

    @property
    def described(self) -> Document:
        """The section of the configuration."""
        found: Document = self.settings.document["cloud"]
        return found


@contextmanager
def looking() -> Iterator[Stage]:
    """At what is there. Raises Exit where nothing is."""
    with shell.interruptible(), account.told():
        yield _opened()


@contextmanager
def working(*, first: bool = False) -> Iterator[Stage]:
    """One at a time from this checkout; Terraform's own lock is between checkouts. `first`: nothing need be there."""
    busy = "another inv cloud task is at work from this checkout"
    with shell.interruptible(), alone(LOCK, busy), account.told():
        yield _opened(first=first)


def _opened(*, first: bool = False) -> Stage:
    settings = configuration.load("production", missing_secrets="show")
    cloud = settings.document.get("cloud")
    if cloud is None:
        raise Exit("config/production.json: has no section cloud, which says where the service runs", code=1)
    terraform.require()
    session = account.session(cloud["region"], cloud.get("account"))
    terraform.init(_backend(cloud))
    outputs = terraform.outputs()
    if not outputs and not first:
        raise Exit("nothing is there yet: inv cloud.apply makes it", code=1)
    return Stage(settings, session, outputs)


def _backend(cloud: Document) -> dict[str, str]:
    """Where Terraform keeps what it knows, for whoever works on it next."""
    return {"bucket": cloud["state_bucket"], "region": cloud["region"]}
