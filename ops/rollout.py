"""Other replicas in the place of those that serve, without losing a request.

New ones start beside the old, out of the proxy's sight, and come into it when they are ready. An old one goes in four
steps: it says that it is being drained, nginx asks it and leaves it out from then on, it finishes what is in work, it
ends. In that order, since gunicorn answers nothing that arrives after it was told to end, and nginx may not send an
order twice.
"""

import time
from collections.abc import Sequence

from invoke.exceptions import Exit

from ops import shell, stack
from ops.configuration import Configuration
from ops.progress import step
from ops.stack import Container

SECONDS_TO_GET_READY = 120
SECONDS_TO_BE_NOTICED = 30
SECONDS_FOR_WHAT_IS_UNDER_WAY = 0.3  # from nginx's choice of a replica to the request's arrival there
POLL_SECONDS = 0.2

LITTLE, USUAL = 256, 1024
"""Of the processor, where it does not suffice for all: a container has 1024 parts by default."""

SERVES, IS_LEFT_OUT = "200", "503 502 504"
"""What a replica answers to the proxy."""

# Run in a replica that serves: asks one after the other, through the proxy, until each of those given has answered in
# a way that is wanted: 200; or 503, upon which nginx leaves it out and asks the next, as it does where one hangs. One
# that hangs has the most to do, so that nginx may not ask it again: where it does not answer from here either, nothing
# is lost with it.
ASK_ALL = """
import sys, time, http.client
wanted, missing, deadline = sys.argv[1].split(), set(sys.argv[4:]), time.monotonic() + float(sys.argv[2])
given_up, direct = float(sys.argv[3]), time.monotonic() + 3
def hangs(address):
    try:
        connection = http.client.HTTPConnection(address, 8000, timeout=given_up)
        connection.request("GET", "/drainz")
        return not connection.getresponse()
    except OSError:
        return True
while missing and time.monotonic() < deadline:
    if time.monotonic() > direct and "503" in wanted:
        missing = {address for address in missing if not hangs(address)}
        direct = deadline
    connection = http.client.HTTPConnection("proxy", 8081, timeout=max(deadline - time.monotonic(), 1))
    try:
        connection.request("GET", "/drainz")
        answer = connection.getresponse()
    except TimeoutError:
        break
    asked = (answer.getheader("X-Asked") or "").split(", "), (answer.getheader("X-Answered") or "").split(", ")
    missing -= {address.rpartition(":")[0] for address, answered in zip(*asked) if answered in wanted}
    time.sleep(0.02)
print(*missing)
"""


def serving() -> list[Container]:
    """The replicas that the proxy has been shown; a deploy that was killed may have left others."""
    return [each for each in stack.containers("web") if each.addresses.get("front")]


def replace(settings: Configuration, image: str, replicas: int) -> None:
    """Start that many of the image, and end those that serve now once they are ready.

    Where they do not get ready they are removed, the old ones stay, and it raises Exit with what they said.
    """
    _remove_leftovers()
    old = serving()
    new = add(settings, image, replicas)
    retire(settings, old, staying=new)


def scale(settings: Configuration, image: str, replicas: int) -> None:
    """Raises Exit where new ones do not get ready; those that were there stay then."""
    _remove_leftovers()
    there = serving()
    if replicas > len(there):
        add(settings, image, replicas - len(there))
    else:
        retire(settings, there[replicas:], staying=there[:replicas])


def add(settings: Configuration, image: str, count: int) -> list[Container]:
    """Beside those that serve; returns once they are ready and the proxy asks them."""
    there = {each.id for each in serving()}
    try:
        with step(f"starting {in_words(count)} beside {in_words(len(there))}"):
            total = f"web={len(there) + count}"
            create = ("up", "--no-start", "--no-deps", "--no-recreate", "--scale", total, "web")
            stack.run(settings, *create, image=image)
            new = _others_than(there)
            for each in new:
                shell.read(["docker", "network", "disconnect", stack.FRONT, each.id])
            # Loading the service takes all the time that it can get, and others serve meanwhile.
            shell.read(["docker", "update", "--cpu-shares", str(LITTLE), *[each.id for each in new]])
            shell.read(["docker", "start", *[each.id for each in new]])
        with step("waiting until they are ready"):
            _wait_until_ready(there)
            shell.read(["docker", "update", "--cpu-shares", str(USUAL), *[each.id for each in new]])
            for each in new:
                shell.read(["docker", "network", "connect", "--alias", stack.SERVING, stack.FRONT, each.id])
            new = _others_than(there)
            _wait_until_asked(settings, new, SERVES, asking=new[0])
        return new
    except BaseException:
        with shell.uninterrupted():
            failed = _others_than(there)
            for each in failed:
                stack.show_log(each)
            remove(failed)
        raise


def retire(settings: Configuration, containers: Sequence[Container], staying: Sequence[Container]) -> None:
    """Take them out of the proxy, let them finish, and remove them. Where it keeps asking, they serve on."""
    if not containers:
        return
    with step(f"draining {in_words(len(containers))}"):
        try:
            for each in containers:
                shell.read(["docker", "exec", each.id, "touch", settings["DRAIN_FILE"]])
            _wait_until_asked(settings, containers, IS_LEFT_OUT, asking=staying[0])
        except BaseException:
            with shell.uninterrupted():
                for each in containers:
                    shell.read(["docker", "exec", each.id, "rm", "-f", settings["DRAIN_FILE"]])
            raise
        time.sleep(SECONDS_FOR_WHAT_IS_UNDER_WAY)
    with step(f"ending {in_words(len(containers))}"):
        shell.read(["docker", "stop", *[each.id for each in containers]])
        remove(containers)


def remove(containers: Sequence[Container]) -> None:
    if containers:
        shell.read(["docker", "rm", "--force", "--volumes", *[each.id for each in containers]])


def _remove_leftovers() -> None:
    """Of a deploy that was killed, and what has ended by itself."""
    remove(_others_than({each.id for each in serving()}))


def _wait_until_ready(before: set[str]) -> None:
    """Those that are not among `before`. Raises Exit where one ends, or they take too long."""
    deadline = time.monotonic() + SECONDS_TO_GET_READY
    while True:
        new = _others_than(before)
        if all(each.health == "healthy" for each in new):
            return
        for each in new:
            if each.state in ("exited", "dead", "restarting"):
                raise Exit(f"{each.name} ended instead of getting ready; those that served before serve on", code=1)
        if time.monotonic() > deadline:
            raise Exit(f"not ready after {SECONDS_TO_GET_READY} s; those that served before serve on", code=1)
        time.sleep(POLL_SECONDS)


def _wait_until_asked(settings: Configuration, containers: Sequence[Container], answer: str, asking: Container) -> None:
    """Until nginx has had such an answer of each. Raises Exit where it takes too long."""
    if not stack.containers("proxy"):
        return
    addresses = [each.addresses["front"] for each in containers]
    told = [answer, str(SECONDS_TO_BE_NOTICED), stack.variables(settings)["PROXY_UPSTREAM_READ_S"], *addresses]
    command = ["docker", "exec", asking.id, "python", "-c", ASK_ALL, *told]
    if missing := shell.read(command).split():
        wanted = "does not ask" if answer == SERVES else "still asks"
        raise Exit(f"the proxy {wanted} {', '.join(missing)}: nothing was ended", code=1)


def _others_than(known: set[str]) -> list[Container]:
    return [each for each in stack.containers("web", all_states=True) if each.id not in known]


def in_words(replicas: int) -> str:
    return f"{replicas} replica{'' if replicas == 1 else 's'}"
