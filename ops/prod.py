"""`inv prod.…`: the production stack on this machine, from config/production.json alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import coherence, images, options, ports, project, rollout, shell, stack
from ops.alone import alone
from ops.configuration import Configuration
from ops.progress import step

LOCK = project.LOCAL / "production.lock"


@task(help={"tag": "its name; by default what git calls the commit"})
def build(_: Context, tag: str = "") -> None:
    """Build the image of the service.

    Example: inv prod.build --tag v1.2
    """
    with _working() as settings:
        image = _build(settings, tag)
        shell.say(f"{stack.IMAGE}:{image.version}")


@task(help={"web": "how many replicas; by default those of config/production.json"})
def up(_: Context, web: str = "") -> None:
    """Start the production stack on this machine.

    Or bring the one that runs to the code and the configuration.

    Example: inv prod.up --web 3
    """
    with _working() as settings:
        replicas = _affordable(settings, options.number("web", web or stack.variables(settings)["WEB_REPLICAS"]))
        _require_ports(settings)
        if serving := rollout.serving():
            image = _build(settings, tag="")
            _start_database(settings)
            if stack.is_current(settings, image.id, serving):
                rollout.scale(settings, image.id, replicas)
            else:
                _migrate(settings, image)
                rollout.replace(settings, image.id, replicas)
            stack.run(settings, "up", "--detach", "--wait", "--no-deps", "proxy", image=image.id)
        else:
            image = _start(settings, replicas)
        images.release_now(image)
        shell.say(f"{stack.url(settings)} serves {image.version}")


@task(help={"tag": "the name of the new image; by default what git calls the commit"})
def deploy(_: Context, tag: str = "") -> None:
    """Bring a new version in, without losing a request.

    It builds, migrates, and puts new replicas in the place of those that serve.

    Example: inv prod.deploy --tag v1.2
    """
    with _working() as settings:
        replicas = _replicas()
        image = _build(settings, tag)
        _migrate(settings, image)
        _release(settings, image, replicas)
        shell.say(f"{image.version} serves: inv prod.rollback goes back")


@task(help={"to": "the version of a kept image; by default the one that served before"})
def rollback(_: Context, to: str = "") -> None:
    """Go back to the image before; the database stays.

    Or to another that was kept, in the same way as a deploy.

    Example: inv prod.rollback --to v1.1
    """
    with _working() as settings:
        replicas = _replicas()
        image = images.find(to) if to else images.previous()
        with step(f"taking the static files of {image.version}"):
            copy = ("sh", "-c", "cp -r app/*/static/. /static/")
            stack.run(settings, "run", "--rm", "--no-deps", "migrate", *copy, image=image.id)
        _release(settings, image, replicas)
        shell.say(f"{image.version} serves")


@task(help={"web": "how many replicas"})
def scale(_: Context, web: str) -> None:
    """Start replicas or end some, losing no request.

    Example: inv prod.scale --web 5
    """
    with _working() as settings:
        replicas = _affordable(settings, options.number("web", web))
        _replicas()
        rollout.scale(settings, images.released(), replicas)
        shell.say(f"served by {rollout.in_words(replicas)}")


@task(help={"volumes": "delete the data too, after a question", "yes_i_mean": "answers it: the database's name"})
def down(_: Context, volumes: bool = False, yes_i_mean: str = "") -> None:
    """End the production stack; its data stays.

    Example: inv prod.down
    """
    with _working() as settings:
        name = settings["APPLICATION_DB"]
        if volumes and yes_i_mean != name and shell.answer(f"type {name} to delete its data for ever: ") != name:
            raise Exit(f"nothing was ended: deleting the data wants --yes-i-mean {name}", code=1)
        with step("ending the stack"):
            stack.run(settings, "down", "--remove-orphans", *(["--volumes"] if volumes else []))


@contextmanager
def _working() -> Iterator[Configuration]:
    """One at a time. Raises Exit where another is at work, or containers cannot be used here."""
    settings = stack.load()
    stack.write_secrets(settings)
    with shell.interruptible(), alone(LOCK, "another inv prod task is at work on this stack"):
        yield settings


def _require_ports(settings: Configuration) -> None:
    """Raises Exit where another program has one that the proxy shall have."""
    if stack.containers("proxy"):
        return
    for name in ("PROXY_PORT", "PROXY_TLS_PORT"):
        port = stack.variables(settings).get(name)
        if port and ports.is_taken(int(port)):
            raise Exit(
                f"port {port} is taken: end what listens there, or choose another one: {name}=… inv prod.up", code=1
            )


def _start(settings: Configuration, replicas: int) -> images.Image:
    """All of it. Where that fails, what did not get ready tells why, and nothing is left running."""
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
                if each.has_failed:
                    stack.show_log(each)
            stack.run(settings, "down")
        raise


def _affordable(settings: Configuration, replicas: int) -> int:
    """Raises Exit where the database has not connections enough for so many."""
    for problem in coherence.connections(settings.document, replicas):
        raise Exit(f"config/{settings.name}.json: {problem}", code=1)
    return replicas


def _replicas() -> int:
    """How many serve, without those that a deploy that was killed has left. Raises Exit where none does."""
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
    stack.run(settings, "up", "--detach", "--wait", "db")
    stack.give_roles(settings)


def _release(settings: Configuration, image: images.Image, replicas: int) -> None:
    rollout.replace(settings, image.id, replicas)
    images.release_now(image)


def _migrate(settings: Configuration, image: images.Image) -> None:
    """Before the new replicas start: what serves copes with the new schema, and what comes needs it."""
    with step("migrating"):
        stack.run(settings, "run", "--rm", "--no-deps", "migrate", image=image.id)
