"""`inv cloud.…`, what changes the service on AWS: planning, applying, releasing, going back, ending."""

import re
import sys
from datetime import datetime

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import engine, images, release, shell, stack
from ops.cloud import answer, changes, planning, service, stage, terraform
from ops.cloud.planning import Plan, kept, planned
from ops.cloud.stage import Stage
from ops.progress import step

PLATFORM = "linux/amd64"  # of terraform/tasks.tf, whatever this machine is
NAME_OF_AN_IMAGE = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
NAMES_OF_ANYTHING = ("latest", "unknown")
"""The second is what a checkout without git is called."""
AGAIN = "inv cloud.deploy again goes on from there"
BACK_AGAIN = "inv cloud.rollback again goes on from there"
TAG = "the name of the image; by default what git calls the commit. One that the registry has is taken as it is"
URL = "where to ask for the version, while the service's name does not lead there yet"


@task
def plan(_: Context) -> None:
    """Show what inv cloud.apply would change.

    It fails where that would lose the database.

    Example: inv cloud.plan
    """
    with stage.working(first=True) as cloud, planned(kept(cloud)) as found:
        _show(found)
        planning.refuse_losing_the_database(found)


@task(
    help={
        "yes": "do not ask",
        "unprotected": "let the database, load balancer, images and logs be destroyed, until the next apply or deploy",
    }
)
def apply(_: Context, yes: bool = False, unprotected: bool = False) -> None:
    """Bring AWS to what terraform/ says, after a question.

    And to config/production.json; the version that serves stays.

    Example: inv cloud.apply
    """
    options = ["-var=protected=false"] if unprotected else []
    with stage.working(first=True) as cloud, planned(kept(cloud), *options) as found:
        _show(found)
        planning.refuse_losing_the_database(found)
        if found.changes:
            if not yes and shell.answer("apply these changes? [y/N] ").lower() not in ("y", "yes"):
                raise Exit("nothing was applied: answer y, or say --yes where nobody can be asked", code=1)
            _apply(found, "applying")


@task
def migrate(_: Context) -> None:
    """Migrate the database on AWS, by a task of its own.

    It shows what the task says, and ends with its exit code.

    Example: inv cloud.migrate
    """
    with stage.working() as cloud:
        _migrate(cloud)


@task(help={"tag": TAG, "url": URL})
def deploy(_: Context, tag: str = "", url: str = "") -> None:
    """Build, push, migrate, and wait until it serves.

    Example: inv cloud.deploy --tag v1.2
    """
    with stage.working() as cloud:
        version = _version(tag)
        _require_address(url)
        before = planning.serving(cloud)
        _push(cloud, version)
        new = cloud.registry.reference(version)
        _release(planning.images(web=before, migrate=new), f"giving {version} to the migration")
        _migrate(cloud)
        _serve(cloud, version, url, AGAIN)
        shell.say(f"{version} serves: inv cloud.rollback goes back")


@task(help={"to": "the version of an image in the registry; by default the one that served before", "url": URL})
def rollback(_: Context, to: str = "", url: str = "") -> None:
    """Go back to an earlier image; the database stays.

    To one that the registry has.

    Example: inv cloud.rollback --to v1.1
    """
    with stage.working() as cloud:
        _require_address(url)
        version = to or cloud.service.version_before()
        cloud.registry.require(version)
        _serve(cloud, version, url, BACK_AGAIN)
        shell.say(f"{version} serves")


@task(help={"yes_i_mean": "answers the question: the name of the cluster"})
def destroy(_: Context, yes_i_mean: str = "") -> None:
    """Delete all of it on AWS, after a question.

    A protected database stays.

    Example: inv cloud.destroy
    """
    with stage.working() as cloud:
        name = cloud.outputs["cluster"]
        unmeant = Exit(f"nothing was destroyed: that wants --yes-i-mean {name}", code=1)
        if yes_i_mean != name and not sys.stdin.isatty():
            raise unmeant
        with planned(kept(cloud), "-destroy") as found:
            planning.refuse_what_is_protected(found)
            _show(found)
            if yes_i_mean != name and shell.answer(f"type {name} to destroy all of this for ever: ") != name:
                raise unmeant
            _apply(found, "destroying")


def _version(tag: str) -> str:
    """Raises Exit where it cannot be the name of an image, or says nothing of what is in it."""
    version = tag or release.version()
    if not re.fullmatch(NAME_OF_AN_IMAGE, version):
        raise Exit(f"--tag: should be letters, digits, dots, dashes and underscores, got {version!r}", code=1)
    if version in NAMES_OF_ANYTHING:
        raise Exit(f"--tag: {version} says nothing of what is in the image: name the version", code=1)
    return version


def _require_address(url: str) -> None:
    if url and not url.startswith(("https://", "http://")):
        raise Exit(f"--url: should begin with https:// or http://, got {url!r}", code=1)


def _push(cloud: Stage, version: str) -> None:
    """Unless the registry has it: what was tried is what serves. Raises Exit where it may be something else."""
    if cloud.registry.digest(version):
        if version.endswith("-dirty"):
            remedy = "commit what has changed, or give another --tag"
            raise Exit(f"the registry has a {version} already, and keeps what it has: {remedy}", code=1)
        shell.note(f"the registry has {version}: it is taken as it is")
        return
    try:
        engine.require()
    except engine.NoEngine as reason:
        raise Exit(f"the registry has no {version}, and it cannot be built here: {reason}", code=1) from None
    with shell.interrupted("building the image was interrupted: nothing has changed"), step("building the image"):
        image = images.build(cloud.settings, version, PLATFORM)
    message = f"pushing was interrupted: nothing has changed; {AGAIN}"
    with shell.interrupted(message), step(f"pushing {version}"):
        cloud.registry.push(f"{stack.IMAGE}:{image.version}", version)


def _migrate(cloud: Stage) -> None:
    """Before the new version starts: what serves copes with the new schema, and what comes needs it."""
    migration, seconds = cloud.migration(), cloud.described["migration_timeout_s"]
    cloud.registry.require(service.version(service.image(migration.definition)))
    shows = "inv cloud.logs --service migrate shows it"
    message = f"the migration runs on by itself: {shows}; the next inv cloud.migrate or cloud.deploy waits for it"
    with shell.interrupted(message):
        if left := migration.running():
            with step(f"waiting for the migration {left.rpartition('/')[2]} that runs already"):
                migration.follow(left, seconds, shell.say)
        with step("migrating"):
            migration.follow(migration.start(), seconds, shell.say)


def _serve(cloud: Stage, version: str, url: str, again: str) -> None:
    """Raises Exit where it does not: what served before serves on then."""
    new, began = cloud.registry.reference(version), datetime.now().astimezone()
    message = f"ECS goes on by itself: inv cloud.status shows how far {version} is; {again}"
    try:
        _release(planning.images(web=new, migrate=new), f"giving {version} to the service")
        with shell.interrupted(message), step(f"waiting until {version} is stable") as now:
            seconds = cloud.described["deployment_timeout_s"]
            cloud.service.wait_until_stable(terraform.outputs()["web_task_definition"], seconds, now)
    except Exit as failure:
        if failure.code != shell.INTERRUPTED:
            _tell_events(cloud, began)
        raise
    with shell.interrupted(message), step(f"waiting until {version} answers"):
        answer.wait_for(version, url or cloud.outputs["url"])


def _tell_events(cloud: Stage, began: datetime) -> None:
    """What ECS said meanwhile, and who serves."""
    if described := cloud.service.found():
        for line in service.events(described, began):
            shell.note(line)
        serving = service.version(service.image(cloud.service.definition(described["taskDefinition"])))
        shell.note(f"the service has {serving}, and {described['runningCount']} of {described['desiredCount']} run")


def _release(images: dict[str, str], doing: str) -> None:
    with planned(images) as found:
        planning.refuse_more_than_a_release(found)
        if found.changes:
            _apply(found, doing)


def _apply(plan: Plan, doing: str) -> None:
    message = f"{doing} was interrupted: what was done is in the state; the same command again does the rest"
    with shell.interrupted(message), step(doing) as now:
        terraform.apply(plan.path, now)


def _show(plan: Plan) -> None:
    for each in changes.detailed(plan.document) if plan.changes else ():
        shell.say(str(each))
    shell.say(changes.summary(plan.changes))
