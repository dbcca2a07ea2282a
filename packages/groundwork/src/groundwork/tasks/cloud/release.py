"""Tasks `inv cloud.…` that change AWS: plan, apply, migrate, deploy, roll back, destroy."""

import re
import sys
from datetime import datetime

from invoke.context import Context
from invoke.tasks import task

from groundwork.cloud import changes, context, health_check, planning, registry, service, terraform
from groundwork.cloud.context import Stage
from groundwork.cloud.planning import Plan, kept, planned
from groundwork.production import images, stack
from groundwork.system import docker, shell
from groundwork.system.errors import Exit
from groundwork.system.progress import step

PLATFORM = "linux/amd64"  # as in terraform/tasks.tf; independent of this machine
AMBIGUOUS_TAGS = ("latest", "unknown")
"""git_release.version() returns the second in a checkout without git."""
RESUME_DEPLOY = "run inv cloud.deploy again to continue"
RESUME_ROLLBACK = "run inv cloud.rollback again to continue"
TAG = "tag of the image; by default from git describe. A tag that is already in the registry is not built again"
ARCHIVE = "deploy the image in this file, which inv prod.build wrote, and no other: the scanned image, for example"
URL = "URL to check the version at, if the service's domain does not resolve to it yet"


@task
def plan(_: Context) -> None:
    """Show what inv cloud.apply would change.

    It fails if applying would delete the database.

    Example: inv cloud.plan
    """
    with context.working(first=True) as cloud, planned(kept(cloud)) as found:
        _show(found)
        planning.refuse_losing_the_database(found)
        planning.refuse_another_major(found)


@task(
    help={
        "yes": "do not ask",
        "unprotected": "allow deletion of database, load balancer, images and logs, until the next apply or deploy",
    }
)
def apply(_: Context, yes: bool = False, unprotected: bool = False) -> None:
    """Apply terraform/ after confirmation.

    It also applies config/production.json; the deployed version stays.

    Example: inv cloud.apply
    """
    options = ["-var=protected=false"] if unprotected else []
    with context.working(first=True) as cloud, planned(kept(cloud), *options) as found:
        _show(found)
        planning.refuse_losing_the_database(found)
        planning.refuse_another_major(found)
        if found.changes:
            if not yes and shell.prompt("apply these changes? [y/N] ").lower() not in ("y", "yes"):
                raise Exit("nothing was applied: answer y; without a terminal, use --yes", code=1)
            _apply(found, "applying")


@task
def migrate(_: Context) -> None:
    """Migrate the database in a one-off ECS task.

    It shows the task's output and returns its exit code.

    Example: inv cloud.migrate
    """
    with context.working() as cloud:
        _migrate(cloud)


@task(help={"tag": TAG, "archive": ARCHIVE, "url": URL})
def deploy(_: Context, tag: str = "", archive: str = "", url: str = "") -> None:
    """Build, push, migrate and deploy a version.

    It waits until the version responds. A failed deploy can be repeated.

    Example: inv cloud.deploy --tag v1.2
    """
    with context.working() as cloud:
        version = _version(tag)
        _require_address(url)
        if pending := cloud.pending_settings:
            shell.note(pending)
        current = planning.serving(cloud)
        _push(cloud, version, archive)
        new = cloud.registry.reference(version)
        _release(planning.images(web=current, migrate=new), f"updating the migration task to {version}")
        _migrate(cloud)
        _deploy(cloud, version, url, RESUME_DEPLOY)
        shell.say(f"{version} is deployed: inv cloud.rollback reverts to the previous version")


@task(help={"to": "tag of an image in the registry; by default the previously deployed one", "url": URL})
def rollback(_: Context, to: str = "", url: str = "") -> None:
    """Roll back to an earlier image; keep the database.

    The image must still be in the registry.

    Example: inv cloud.rollback --to v1.1
    """
    with context.working() as cloud:
        _require_address(url)
        version = images.named(to) if to else cloud.service.version_before()
        cloud.registry.require(version)
        _deploy(cloud, version, url, RESUME_ROLLBACK)
        shell.say(f"{version} is deployed")


@task(help={"yes_i_mean": "the name of the cluster, to confirm without a prompt"})
def destroy(_: Context, yes_i_mean: str = "") -> None:
    """Destroy the AWS stack after confirmation.

    It refuses while resources are protected from deletion.

    Example: inv cloud.destroy
    """
    with context.working() as cloud:
        name = cloud.outputs["cluster"]
        unconfirmed = Exit(f"nothing was destroyed: confirm with --yes-i-mean {name}", code=1)
        if yes_i_mean != name and not sys.stdin.isatty():
            raise unconfirmed
        with planned(kept(cloud), "-destroy") as found:
            planning.refuse_what_is_protected(found)
            _show(found)
            if yes_i_mean != name and shell.prompt(f"type {name} to destroy all of this permanently: ") != name:
                raise unconfirmed
            _apply(found, "destroying")


def _version(tag: str) -> str:
    """Return the version to deploy. Raises Exit if it is no valid image tag, or does not identify a version."""
    version = images.version(tag)
    if version in AMBIGUOUS_TAGS:
        raise Exit(f"--tag: {version} does not identify a version: choose another tag", code=1)
    if version.startswith(registry.PROXY) or not re.fullmatch(images.NAME, f"{registry.PROXY}{version}"):
        raise Exit(f"--tag: {version} is too long, or begins with {registry.PROXY}: choose another tag", code=1)
    return version


def _require_address(url: str) -> None:
    if url and not url.startswith(("https://", "http://")):
        raise Exit(f"--url: should begin with https:// or http://, got {url!r}", code=1)


def _push(cloud: Stage, version: str, archive: str) -> None:
    """Push the images of the service and of its proxy unless the registry has them, so that tested ones are deployed.

    It takes them from the archive, or builds them. Raises Exit if the registry has another image of this
    version, or has a -dirty version, whose content may differ from the working tree.
    """
    tags = {"web": version, "proxy": f"{registry.PROXY}{version}"}
    kept = {name: tag for name, tag in tags.items() if cloud.registry.digest(tag)}
    loaded = images.load(archive, version, PLATFORM) if archive else {}
    for name, tag in kept.items():
        if loaded and not cloud.registry.holds(tag, loaded[name][1]):
            raise Exit(
                f"{archive}: the registry already has another image as {tag}, and its tags cannot be overwritten: "
                "choose another --tag, or leave out --archive to deploy the registry's image",
                code=1,
            )
        if "-dirty" in version:
            remedy = "commit the changes, or choose another --tag"
            raise Exit(f"the registry already has {tag}, and its tags cannot be overwritten: {remedy}", code=1)
        shell.note(f"the registry already has {tag}: it is not built again")
    message = f"pushing was interrupted: nothing has changed; {RESUME_DEPLOY}"
    for name, tag in reversed(tags.items()):  # the service last: where the registry has that, it has both
        if name not in kept:
            local = loaded[name][0] if loaded else _build(cloud, name, version)
            with shell.on_interrupt(message), step(f"pushing {tag}"):
                cloud.registry.push(local, tag)


def _build(cloud: Stage, name: str, version: str) -> str:
    """Build the image of web or proxy; return its name here."""
    try:
        docker.require()
    except docker.NoEngine as reason:
        raise Exit(f"the registry has no {version}, and no image can be built here: {reason}", code=1) from None
    message = "building the image was interrupted: nothing has changed"
    what = "the image" if name == "web" else "the image of nginx"
    with shell.on_interrupt(message), step(f"building {what}"):
        if name == "proxy":
            return images.build_proxy(cloud.settings, version, PLATFORM)
        image = images.build(cloud.settings, version, PLATFORM)
        images.keep(image)
        return f"{stack.IMAGE}:{image.version}"


def _migrate(cloud: Stage) -> None:
    """Run the migration task. The current version works with the new schema, and the new version needs it."""
    migration, seconds = cloud.migration(), cloud.settings.cloud.migration_timeout_s
    cloud.registry.require(service.version(service.image(migration.definition)))
    logs = "its logs: inv cloud.logs --service migrate"
    message = f"the migration continues on AWS: the next inv cloud.migrate or cloud.deploy waits for it; {logs}"
    with shell.on_interrupt(message):
        if unfinished := migration.running():
            with step(f"waiting for the migration {unfinished.rpartition('/')[2]}, which is already running"):
                migration.follow(unfinished, seconds, shell.say)
        with step("migrating"):
            migration.follow(migration.start(), seconds, shell.say)


def _deploy(cloud: Stage, version: str, url: str, resume: str) -> None:
    """Deploy the version and wait until it responds. Raises Exit if it fails; the previous version stays deployed."""
    new, started = cloud.registry.reference(version), datetime.now().astimezone()
    message = f"ECS continues the deployment of {version}: inv cloud.status shows its progress; {resume}"
    try:
        _release(planning.images(web=new, migrate=new), f"updating the service to {version}")
        with shell.on_interrupt(message), step(f"waiting until {version} is stable") as now:
            seconds = cloud.settings.cloud.deployment_timeout_s
            cloud.service.wait_until_stable(terraform.outputs()["web_task_definition"], seconds, now)
    except Exit as failure:
        if failure.code != shell.INTERRUPTED:
            _show_events(cloud, started)
        raise
    with shell.on_interrupt(message), step(f"waiting until {version} responds"):
        health_check.wait_for(version, url or cloud.outputs["url"])


def _show_events(cloud: Stage, since: datetime) -> None:
    """Print the service's ECS events since the deployment started, its version and its task counts."""
    if described := cloud.service.found():
        for line in service.events(described, since):
            shell.note(line)
        version = service.version(service.image(cloud.service.definition(described["taskDefinition"])))
        counts = f"{described['runningCount']} of {described['desiredCount']} tasks are running"
        shell.note(f"the service has version {version}; {counts}")


def _release(images: dict[str, str], action: str) -> None:
    with planned(images) as found:
        planning.refuse_more_than_a_release(found)
        planning.refuse_another_major(found)
        _note_reboot(found)
        if found.changes:
            _apply(found, action)


def _apply(plan: Plan, action: str) -> None:
    message = f"{action} was interrupted: Terraform's state has what was done; run the same command again to continue"
    with shell.on_interrupt(message), step(action) as now:
        terraform.apply(plan.path, now)


def _show(plan: Plan) -> None:
    for each in changes.detailed(plan.document) if plan.changes else ():
        shell.say(str(each))
    shell.say(changes.summary(plan.changes))
    _note_reboot(plan)


def _note_reboot(plan: Plan) -> None:
    if any(each.kind == changes.PARAMETERS for each in plan.changes):
        for parameter in changes.after_a_reboot(plan.document):
            shell.note(f"{parameter} takes effect after a reboot of the database; inv cloud.status shows how")
