"""Zero-downtime replacement of the replicas.

New replicas start next to the old ones, outside the proxy's network, and join it when they are ready. An old replica
leaves in four steps: it reports that it is draining; nginx reads this and takes it out of rotation; it finishes its
requests; it stops. The order of the steps matters: gunicorn answers no request that arrives after its stop signal, and
nginx must not send a write twice.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from groundwork.configuration.loader import Configuration
from groundwork.production import stack
from groundwork.production.stack import Container
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.system.progress import step

SECONDS_TO_GET_READY = 120
SECONDS_TO_BE_NOTICED = 30
SECONDS_TO_BE_WITHDRAWN = 10  # after a failed deploy
SECONDS_TO_RETURN = 60  # for `docker exec`, in addition to the deadline of the script
SECONDS_FOR_WHAT_IS_UNDER_WAY = 0.3  # from nginx's choice of a replica until the request arrives there
POLL_SECONDS = 0.2

LITTLE, USUAL = 256, 1024
"""CPU shares: relative weights of containers while the CPU is busy. Docker's default is 1024."""

SERVES, IS_LEFT_OUT = "200", "503 502 504"
"""Statuses that the proxy receives from a replica in rotation, and from one out of rotation."""

# Runs in a replica. Sends requests through the proxy until each given replica has returned a wanted status: 200, or
# 503. On 503, nginx takes the replica out of rotation and tries the next one, as it does after a timeout. nginx skips a
# replica that failed recently, so on draining the script also asks each one directly, once. A replica that does not
# answer directly either counts as drained: removing it loses no request.
ASK_ALL = """
import sys, time, http.client
wanted, missing, deadline = sys.argv[1].split(), set(sys.argv[4:]), time.monotonic() + float(sys.argv[2])
given_up, direct = float(sys.argv[3]), time.monotonic() + 3
def hangs(address):
    try:
        connection = http.client.HTTPConnection(address, 8000, timeout=given_up)
        connection.request("GET", "/drainz")
        return not connection.getresponse()
    except (OSError, http.client.HTTPException):
        return True
while missing and time.monotonic() < deadline:
    if time.monotonic() > direct and "503" in wanted:
        missing = {address for address in missing if not hangs(address)}
        direct = deadline
    connection = http.client.HTTPConnection("proxy", 8081, timeout=2 * given_up)
    try:
        connection.request("GET", "/drainz")
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException):
        time.sleep(0.2)
        continue
    asked = (answer.getheader("X-Asked") or "").split(", "), (answer.getheader("X-Answered") or "").split(", ")
    missing -= {address.rpartition(":")[0] for address, answered in zip(*asked) if answered in wanted}
    time.sleep(0.02)
print(*missing)
"""


def serving() -> list[Container]:
    """Return the replicas on the proxy's network; a killed deploy may have left others."""
    return [each for each in stack.containers("web") if each.addresses.get("front")]


def replace(settings: Configuration, image: str, replicas: int) -> None:
    """Start new replicas of the image; once they are ready, remove those that serve now.

    On failure, remove the new replicas, even if they serve already, and keep the old ones serving. Raise Exit with the
    reason.
    """
    with telling_who_serves():
        _tidy()
        old = serving()
        add(settings, image, replicas)
        try:
            _drain(settings, old)
        except BaseException:
            _withdraw(settings, {each.id for each in old})
            raise
        _end(old)


def scale(settings: Configuration, image: str, replicas: int) -> None:
    """Replace all replicas if the image, configuration or a secret has changed; otherwise start or stop some.

    Raise Exit if new replicas do not become ready; the existing ones stay.
    """
    with telling_who_serves():
        _tidy()
        there = serving()
        if there and stack.is_current(settings, there, image):
            if replicas > len(there):
                add(settings, image, replicas - len(there))
            else:
                _drain(settings, there[replicas:])
                _end(there[replicas:])
            return
    replace(settings, image, replicas)


@contextmanager
def telling_who_serves() -> Iterator[None]:
    """If the block fails, print the replicas that serve and their versions."""
    try:
        yield
    except BaseException:
        with shell.uninterrupted():
            named = ", ".join(f"{each.name} ({each.version})" for each in serving())
            shell.note(f"serving now: {named or 'no replica'}")
        raise


def add(settings: Configuration, image: str, count: int) -> None:
    """Start `count` more replicas; return once the proxy sends them requests. On failure, show logs and remove them."""
    there = {each.id for each in serving()}
    try:
        with step(f"starting {in_words(count)} beside {in_words(len(there))}"):
            total = f"web={len(there) + count}"
            create = ("up", "--no-start", "--no-deps", "--no-recreate", "--scale", total, "web")
            stack.run(settings, *create, image=image)
            new = _others_than(there)
            for each in new:
                shell.read(["docker", "network", "disconnect", stack.FRONT, each.id])
            # Startup uses all the CPU that it can get; the serving replicas need priority.
            shell.read(["docker", "update", "--cpu-shares", str(LITTLE), *[each.id for each in new]])
            shell.read(["docker", "start", *[each.id for each in new]])
        with step("waiting until they are ready"):
            _wait_until_ready(there)
            shell.read(["docker", "update", "--cpu-shares", str(USUAL), *[each.id for each in new]])
            for each in new:
                shell.read(["docker", "network", "connect", "--alias", stack.SERVING, stack.FRONT, each.id])
            _wait_until_asked(settings, _others_than(there), SERVES)
    except BaseException:
        with shell.uninterrupted():
            for each in _others_than(there):
                stack.show_log(each)
        _withdraw(settings, there)
        raise


def _drain(settings: Configuration, containers: Sequence[Container], seconds: float = SECONDS_TO_BE_NOTICED) -> None:
    """Take replicas out of rotation. Raise Exit if the proxy keeps sending requests to them; they then keep serving."""
    if not containers:
        return
    with step(f"draining {in_words(len(containers))}"):
        try:
            _unpause()
            ids = {each.id for each in containers}
            running = [each for each in stack.containers("web") if each.id in ids and each.state == "running"]
            for each in running:
                shell.read(["docker", "exec", each.id, "touch", settings["DRAIN_FILE"]])
            if running:
                _wait_until_asked(settings, running, IS_LEFT_OUT, seconds)
        except BaseException:
            with shell.uninterrupted():
                for each in containers:
                    with suppress(Exit):  # a removed or paused replica must not stop the loop
                        shell.read(["docker", "exec", each.id, "rm", "-f", settings["DRAIN_FILE"]])
            raise
        time.sleep(SECONDS_FOR_WHAT_IS_UNDER_WAY)


def _end(containers: Sequence[Container]) -> None:
    """Let drained replicas finish their requests, then remove them. Ignore Ctrl-C: they are already out of rotation."""
    if containers:
        with shell.uninterrupted(), step(f"ending {in_words(len(containers))}"):
            shell.read(["docker", "stop", *[each.id for each in containers]])
            remove(containers)


def _withdraw(settings: Configuration, there: set[str]) -> None:
    """Remove all replicas not in `there`. No request is lost unless the proxy fails to drain them in time."""
    with shell.uninterrupted():
        serving_too = [each for each in _others_than(there) if each.addresses.get("front")]
        with suppress(Exit):
            _drain(settings, serving_too, SECONDS_TO_BE_WITHDRAWN)
        with suppress(Exit):
            _end(serving_too)
        remove(_others_than(there))


def _unpause() -> None:
    """Resume paused replicas: they must finish their requests, and Compose does not scale a service with one."""
    if paused := [each for each in stack.containers("web") if each.state == "paused"]:
        shell.note(f"unpaused: {', '.join(each.name for each in paused)}")
        shell.read(["docker", "unpause", *[each.id for each in paused]])


def remove(containers: Sequence[Container]) -> None:
    if containers:
        shell.read(["docker", "rm", "--force", "--volumes", *[each.id for each in containers]])


def _tidy() -> None:
    """Resume paused replicas; remove those that a killed deploy left behind or that exited by themselves."""
    _unpause()
    remove(_others_than({each.id for each in serving()}))


def _wait_until_ready(before: set[str]) -> None:
    """Wait until all replicas not in `before` are ready. Raise Exit if one exits or is paused, or on timeout."""
    deadline = time.monotonic() + SECONDS_TO_GET_READY
    while True:
        new = _others_than(before)
        if all(each.health == "healthy" and each.state == "running" for each in new):
            return
        for each in new:
            if each.state in ("exited", "dead", "restarting", "paused"):
                raise Exit(f"{each.name} is {each.state} instead of ready", code=1)
        if time.monotonic() > deadline:
            raise Exit(f"not ready after {SECONDS_TO_GET_READY} s", code=1)
        time.sleep(POLL_SECONDS)


def _wait_until_asked(
    settings: Configuration, containers: Sequence[Container], answer: str, seconds: float = SECONDS_TO_BE_NOTICED
) -> None:
    """Wait until nginx has received `answer` from each replica. Raise Exit on timeout. Do nothing without a proxy."""
    if not stack.containers("proxy"):
        return
    limits = stack.variables(settings)
    # nginx does not retry a failed replica earlier.
    seconds += float(limits["PROXY_OUT_OF_SERVICE_S"])
    told = [answer, str(seconds), limits["PROXY_UPSTREAM_READ_S"], *[each.addresses["front"] for each in containers]]
    command = ["docker", "exec", containers[0].id, "python", "-c", ASK_ALL, *told]
    if missing := shell.read(command, seconds=seconds + SECONDS_TO_RETURN).split():
        names = ", ".join(each.name for each in containers if each.addresses["front"] in missing)
        wanted = "does not ask" if answer == SERVES else "still asks"
        raise Exit(f"the proxy {wanted} {names} after {seconds:g} s: see inv prod.logs --service proxy", code=1)


def _others_than(known: set[str]) -> list[Container]:
    return [each for each in stack.containers("web", all_states=True) if each.id not in known]


def in_words(replicas: int) -> str:
    return f"{replicas} replica{'' if replicas == 1 else 's'}"
