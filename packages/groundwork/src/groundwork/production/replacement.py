"""Replacement of single-instance containers in place, with rollback to the old container."""

import time
from collections.abc import Callable, Sequence

from groundwork.configuration.loader import Configuration
from groundwork.production import rollout, stack
from groundwork.production.stack import Container
from groundwork.system import shell
from groundwork.system.errors import Exit

SECONDS_TO_START = 180  # on a busy machine, initdb takes longer than the health check allows
POLL_SECONDS = 0.2


def replace(settings: Configuration, service: str, finish: Callable[[], None] = lambda: None) -> None:
    """Start a service's container, or replace it if its configuration, a mounted file or its image has changed.

    If the new container does not become healthy or `finish` fails, print its log, remove it and start the old one
    again. Raise Exit in this case.
    """
    old = _only(stack.containers(service, all_states=True))
    if old is None or _is_current(settings, old):
        _start(settings, service)
        finish()
        return
    try:
        create = ("up", "--no-start", "--no-deps", "--no-recreate", "--scale", f"{service}=2", service)
        stack.run(settings, *create)
        shell.read(["docker", "stop", old.id])
        shell.read(["docker", "start", *[each.id for each in _others(old)]])
        for each in _others(old):
            _require_healthy(each, "the one that served before is started again")
        finish()
    except BaseException:
        with shell.uninterrupted():
            for each in _others(old):
                stack.show_log(each)
                rollout.remove([each])  # before the old one starts: two servers must never run on one volume
            shell.read(["docker", "start", old.id])
            _require_healthy(old, f"it served before; inv prod.logs --service {service} shows more")
        raise
    rollout.remove([old])


def _is_current(settings: Configuration, container: Container) -> bool:
    image = settings.images.postgres if container.service == "db" else settings.images.nginx
    found = shell.read(["docker", "image", "inspect", "--format", "{{.Id}}", image]).strip()
    return container.image == found and stack.is_current(settings, [container])


def _only(there: Sequence[Container]) -> Container | None:
    """Return the healthy container, else the first; remove the others, which a killed task left behind."""
    kept = next((each for each in there if each.health == "healthy"), there[0] if there else None)
    rollout.remove([each for each in there if each != kept])
    return kept


def _start(settings: Configuration, service: str) -> None:
    try:
        stack.run(settings, "up", "--detach", "--wait", "--no-deps", service)
    except Exit:
        for each in stack.containers(service, all_states=True):
            stack.show_log(each)
        raise


def _others(old: Container) -> list[Container]:
    return [each for each in stack.containers(old.service, all_states=True) if each.id != old.id]


def _require_healthy(container: Container, otherwise: str) -> None:
    """Wait until the container is healthy. Raise Exit with `otherwise` if it exits, or on timeout."""
    deadline = time.monotonic() + SECONDS_TO_START
    while (now := _now(container)).health != "healthy":
        has_ended = now.restarts > container.restarts or now.state in ("exited", "dead", "restarting")
        if has_ended or time.monotonic() > deadline:
            raise Exit(f"{container.name} does not start: {otherwise}", code=1)
        time.sleep(POLL_SECONDS)


def _now(container: Container) -> Container:
    found = [each for each in stack.containers(container.service, all_states=True) if each.id == container.id]
    if not found:
        raise Exit(f"{container.name} was removed by somebody else", code=1)
    return found[0]
