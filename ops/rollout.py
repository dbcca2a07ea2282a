"""Other replicas in the place of those that serve, without losing a request.

New ones start beside the old. An old one goes in four steps: it says that it is being drained, nginx asks it and leaves
it out from then on, it finishes what is in work, it ends. In that order, since gunicorn answers nothing that arrives
after it was told to end, and nginx may not send an order twice.
"""

import time
from collections.abc import Sequence

from invoke.exceptions import Exit

from ops import shell, stack
from ops.configuration import Configuration
from ops.progress import step
from ops.stack import Container

SECONDS_TO_GET_READY = 90
SECONDS_TO_BE_LEFT_OUT = 10
SECONDS_FOR_WHAT_IS_UNDER_WAY = 0.3  # from nginx's choice of a replica to the request's arrival there
POLL_SECONDS = 0.2

# Run in a replica that stays: asks, through the proxy, each replica in turn until those given have been asked.
ASK_ALL = """
import sys, time, http.client
wanted, deadline = set(sys.argv[2:]), time.monotonic() + float(sys.argv[1])
while wanted and time.monotonic() < deadline:
    connection = http.client.HTTPConnection("proxy", 8081, timeout=5)
    connection.request("GET", "/drainz")
    asked = (connection.getresponse().getheader("X-Asked") or "").split(", ")
    wanted -= {address.rpartition(":")[0] for address in asked[:-1]}
print(*wanted)
"""


def replace(settings: Configuration, image: str, replicas: int) -> None:
    """Start that many of the image, and end those that serve now once they are ready.

    Where they do not get ready they are removed, the old ones stay, and it raises Exit with what they said.
    """
    old = stack.containers("web")
    new = add(settings, image, replicas)
    retire(old, staying=new)


def scale(settings: Configuration, image: str, replicas: int) -> None:
    """Raises Exit where new ones do not get ready; those that were there stay then."""
    serving = stack.containers("web")
    if replicas > len(serving):
        add(settings, image, replicas - len(serving))
    else:
        retire(serving[replicas:], staying=serving[:replicas])


def add(settings: Configuration, image: str, count: int) -> list[Container]:
    """Beside those that serve; returns once they are ready."""
    remove([each for each in stack.containers("web", all_states=True) if each.state != "running"])
    serving = {each.id for each in stack.containers("web")}
    try:
        with step(f"starting {_replicas(count)} beside {_replicas(len(serving))}"):
            total = f"web={len(serving) + count}"
            start = ("up", "--detach", "--no-deps", "--no-recreate", "--scale", total, "web")
            stack.run(settings, *start, image=image)
        with step("waiting until they are ready"):
            return _ready(serving)
    except BaseException:
        with shell.uninterrupted():
            failed = [each for each in stack.containers("web", all_states=True) if each.id not in serving]
            for each in failed:
                stack.show_log(each)
            remove(failed)
        raise


def retire(containers: Sequence[Container], staying: Sequence[Container]) -> None:
    """Take them out of the proxy, let them finish, and remove them."""
    if not containers:
        return
    with step(f"draining {_replicas(len(containers))}"):
        for each in containers:
            shell.read(["docker", "exec", each.id, "touch", "/dev/shm/draining"])  # noqa: S108  the container's own
        if stack.containers("proxy"):
            _leave_out([each.addresses["front"] for each in containers], staying[0])
            time.sleep(SECONDS_FOR_WHAT_IS_UNDER_WAY)
    with step(f"ending {_replicas(len(containers))}"):
        shell.read(["docker", "stop", *[each.id for each in containers]])
        remove(containers)


def remove(containers: Sequence[Container]) -> None:
    if containers:
        shell.read(["docker", "rm", "--force", "--volumes", *[each.id for each in containers]])


def _ready(before: set[str]) -> list[Container]:
    """Those that are not among `before`. Raises Exit where one ends, or they take too long."""
    deadline = time.monotonic() + SECONDS_TO_GET_READY
    while True:
        new = [each for each in stack.containers("web", all_states=True) if each.id not in before]
        if new and all(each.health == "healthy" for each in new):
            return new
        for each in new:
            if each.state in ("exited", "dead", "restarting"):
                raise Exit(f"{each.name} ended instead of getting ready; those that served before serve on", code=1)
        if time.monotonic() > deadline:
            raise Exit(f"not ready after {SECONDS_TO_GET_READY} s; those that served before serve on", code=1)
        time.sleep(POLL_SECONDS)


def _leave_out(addresses: list[str], asking: Container) -> None:
    command = ["docker", "exec", asking.id, "python", "-c", ASK_ALL, str(SECONDS_TO_BE_LEFT_OUT), *addresses]
    if left := shell.read(command).split():
        raise Exit(f"the proxy still asks {', '.join(left)}: nothing was ended", code=1)


def _replicas(count: int) -> str:
    return f"{count} replica{'' if count == 1 else 's'}"
