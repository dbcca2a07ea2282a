"""Tasks `inv prod.…` for the life cycle of the production stack, configured by config/production.json."""

import ipaddress
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from invoke.context import Context
from invoke.tasks import task

from groundwork.configuration import rules
from groundwork.configuration.loader import Configuration
from groundwork.production import images, mounted, replacement, rollout, stack, upgrade
from groundwork.system import paths, ports, shell
from groundwork.system.errors import Exit
from groundwork.system.locks import exclusive
from groundwork.system.progress import step
from groundwork.tasks import arguments

LOCK = paths.LOCAL / "production.lock"
DATA = paths.LOCAL / "production.volume"
STATIC = "app /opt/venv/lib/*/site-packages/groundwork"  # folders of an image that have static files
"""Holds the name of the volume with the data of this stack."""


@task(
    help={
        "tag": "tag of the image; by default from git describe",
        "archive": "also write the image to this file, and that of nginx for AWS, for a deploy from another machine",
    }
)
def build(_: Context, tag: str = "", archive: str = "") -> None:
    """Build the service's image.

    Example: inv prod.build --tag v1.2
    """
    with _working() as settings:
        image = _build(settings, tag)
        images.keep(image)
        names = [f"{stack.IMAGE}:{image.version}"]
        if archive:
            if settings.has("cloud"):
                names.append(images.build_proxy(settings, image.version))
            images.save(names, archive)
        for name in names:
            shell.say(name)


@task(
    help={
        "web": "number of replicas; by default from config/production.json",
        "yes_i_mean": "the database's name, to start with an empty database if the data is missing",
    }
)
def up(_: Context, web: str = "", yes_i_mean: str = "") -> None:
    """Start or update the production stack.

    It deploys the current code and configuration to a running stack.

    Example: inv prod.up --web 3
    """
    with _working() as settings:
        replicas = _affordable(settings, arguments.number("web", web or stack.variables(settings)["WEB_REPLICAS"]))
        _require_ports(settings)
        upgrade.refuse(settings)
        _require_data(settings, yes_i_mean)
        if serving := rollout.serving():
            image = _build(settings, tag="")
            _start_database(settings)
            if not stack.is_current(settings, serving, image.id):
                _migrate(settings, image)
            rollout.scale(settings, image.id, replicas)
            images.release_now(image)
            with step("starting the proxy"):
                replacement.replace(settings, "proxy")
        else:
            image = _start(settings, replicas)
            images.release_now(image)
        shell.say(f"{stack.url(settings)} serves {image.version}")
        _warn_without_tls(settings)


@task(help={"tag": "tag of the new image; by default from git describe"})
def deploy(_: Context, tag: str = "") -> None:
    """Deploy the current version with zero downtime.

    It builds the image, migrates the database and replaces the replicas.

    Example: inv prod.deploy --tag v1.2
    """
    with _working() as settings:
        replicas = _replicas()
        image = _build(settings, tag)
        stack.give_roles(settings)
        _migrate(settings, image)
        _release(settings, image, replicas)
        shell.say(f"{image.version} serves: inv prod.rollback goes back")


@task(help={"to": "version of a kept image; by default the previous one"})
def rollback(_: Context, to: str = "") -> None:
    """Roll back to the previous image; keep the database.

    It replaces the replicas with zero downtime, as a deploy does.

    Example: inv prod.rollback --to v1.1
    """
    with _working() as settings:
        replicas = _replicas()
        stack.give_roles(settings)
        image = images.find(to) if to else images.previous()
        with step(f"taking the static files of {image.version}"):
            # Found by name, since another version may have them in other folders.
            copy = ("sh", "-c", f"find {STATIC} -name static -type d | xargs -I{{}} cp -r {{}}/. /static/")
            stack.run(settings, "run", "--rm", "--no-deps", "migrate", *copy, image=image.id)
        _release(settings, image, replicas)
        shell.say(f"{image.version} serves")


@task(help={"web": "number of replicas"})
def scale(_: Context, web: str) -> None:
    """Change the number of replicas with zero downtime.

    Example: inv prod.scale --web 5
    """
    with _working() as settings:
        replicas = _affordable(settings, arguments.number("web", web))
        _replicas()
        stack.give_roles(settings)
        rollout.scale(settings, images.released(), replicas)
        shell.say(f"served by {rollout.in_words(replicas)}")


@task(name="upgrade-postgres")
def upgrade_postgres(_: Context) -> None:
    """Upgrade PostgreSQL's data to the configured version.

    It dumps and restores the database; the service responds with 503 until it
    is done. config/production.json sets the version.

    Example: inv prod.upgrade-postgres
    """
    with _working() as settings:
        kept = upgrade.upgrade(settings)
        shell.say(f"{settings.images.postgres} serves; {kept}")


@task(help={"volumes": "also delete the data, after confirmation", "yes_i_mean": "the database's name, to confirm"})
def down(_: Context, volumes: bool = False, yes_i_mean: str = "") -> None:
    """Stop the production stack; keep its data.

    Example: inv prod.down
    """
    with _working() as settings:
        name = settings["APPLICATION_DB"]
        if volumes and yes_i_mean != name and shell.prompt(f"type {name} to delete its data for ever: ") != name:
            raise Exit(f"nothing was ended: deleting the data wants --yes-i-mean {name}", code=1)
        with step("ending the stack"):
            stack.run(settings, "down", "--remove-orphans", *(["--volumes"] if volumes else []))
            if volumes:
                DATA.unlink(missing_ok=True)


@contextmanager
def _working() -> Iterator[Configuration]:
    """Lock the stack and write its secrets. Raises Exit if another task holds the lock, or without a Docker Engine."""
    settings = stack.load()
    with shell.interruptible(), exclusive(LOCK, "another inv prod task is at work on this stack"):
        mounted.write(settings, stack.user(settings))
        yield settings
        # Compose keeps the exited container of the first migration, which is not started again.
        there = [each for each in stack.containers(all_states=True) if each.service != "migrate"]
        mounted.forget(source for each in there for source in each.mounts.values())


def _require_ports(settings: Configuration) -> None:
    """Raise Exit if another program uses a port of the proxy."""
    if stack.containers("proxy"):
        return
    for name in ("PROXY_PORT", "PROXY_TLS_PORT"):
        port = stack.variables(settings).get(name)
        if port and ports.is_taken(int(port)):
            raise Exit(
                f"port {port} is taken: end what listens there, or choose another one: {name}=… inv prod.up", code=1
            )


def _require_data(settings: Configuration, yes_i_mean: str) -> None:
    """Raise Exit if this engine lacks the volume with the data, unless the user confirms an empty database."""
    made = DATA.read_text("utf-8") if DATA.exists() else ""
    if made != stack.VOLUME or shell.read(["docker", "volume", "ls", "--quiet", "--filter", f"name=^{made}$"]):
        return
    name = settings["APPLICATION_DB"]
    missing = f"the data of this stack is missing: this engine has no volume {made}"
    if yes_i_mean != name and shell.prompt(f"{missing}; type {name} to start with an empty database: ") != name:
        raise Exit(
            f"{missing}; use the engine that has it (DOCKER_HOST, docker context), or start with an empty database: "
            f"inv prod.up --yes-i-mean {name}",
            code=1,
        )


def _start(settings: Configuration, replicas: int) -> images.Image:
    """Start the whole stack. If that fails, show the logs of the failed containers and stop the stack."""
    try:
        with step("building the image and starting PostgreSQL"), ThreadPoolExecutor() as pool:
            building = pool.submit(images.build, settings)
            _run_database(settings)
            image = building.result()
        with step(f"migrating, then starting {rollout.in_words(replicas)} and the proxy"):
            start = ("up", "--detach", "--wait", "--scale", f"web={replicas}", "web", "proxy")
            stack.run(settings, *start, image=image.id)
        return image
    except BaseException:
        with shell.uninterrupted():
            for each in stack.containers(all_states=True):
                if each.has_failed and each.service != "db":  # its log was already shown
                    stack.show_log(each)
            stack.run(settings, "down")
        raise


def _warn_without_tls(settings: Configuration) -> None:
    """Warn if other machines reach the proxy without TLS, unless TRUSTED_PROXIES counts a proxy in front of it."""
    if stack.has_tls(settings) or int(settings["TRUSTED_PROXIES"]) > 1:
        return
    published = shell.read(["docker", "port", stack.only("proxy").id]).splitlines()
    addresses = [line.split()[-1].rpartition(":")[0].strip("[]") for line in published]
    if not all(ipaddress.ip_address(each).is_loopback for each in addresses):
        shell.note(
            "passwords and tokens cross the network in clear: other machines reach the proxy without TLS: "
            "give it proxy/tls_port (docs/production.md, TLS)"
        )


def _affordable(settings: Configuration, replicas: int) -> int:
    """Return the number of replicas. Raises Exit if the database allows too few connections for them."""
    for problem in rules.connection_problems(settings.document, replicas):
        raise Exit(f"config/{settings.name}.json: {problem}", code=1)
    return replicas


def _replicas() -> int:
    """Return the number of replicas, without leftovers of a killed deploy. Raises Exit if none is running."""
    serving, released = rollout.serving(), images.pointed_at(stack.RELEASED)
    if not serving:
        raise Exit("nothing serves: inv prod.up starts the stack", code=1)
    return len([each for each in serving if each.image == released]) or len(serving)


def _build(settings: Configuration, tag: str) -> images.Image:
    with step("building the image"):
        return images.build(settings, tag)


def _start_database(settings: Configuration) -> None:
    with step("starting PostgreSQL"):
        _run_database(settings)


def _run_database(settings: Configuration) -> None:
    replacement.replace(settings, "db")
    DATA.write_text(stack.VOLUME, "utf-8")
    stack.give_roles(settings)


def _release(settings: Configuration, image: images.Image, replicas: int) -> None:
    rollout.replace(settings, image.id, replicas)
    images.release_now(image)


def _migrate(settings: Configuration, image: images.Image) -> None:
    """Migrate before the new replicas start: the old ones work with the new schema, and the new ones need it."""
    with rollout.telling_who_serves(), step("migrating"):
        stack.run(settings, "run", "--rm", "--no-deps", "migrate", image=image.id)
