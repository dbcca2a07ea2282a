"""The stack under drill, read and changed as a user would do it: with `inv prod.…` and `docker`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from itertools import count

from groundwork.configuration.loader import Configuration
from groundwork.production import images, stack
from groundwork.production.load.traffic import Traffic
from groundwork.production.stack import Container
from groundwork.system import paths, shell
from groundwork.system.errors import Exit

SECONDS_TO_COME_BACK = 120
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Stage:
    settings: Configuration
    seconds: float
    """Duration of a fault that does not end by itself."""
    traffic: Traffic
    _turns: Iterator[int] = field(default_factory=count)

    def replica(self) -> Container:
        """Return another replica each time: the proxy avoids one that has just failed, where a fault hits nothing."""
        replicas = stack.containers("web")
        return replicas[next(self._turns) % len(replicas)]

    def wait_until_ready(self, replicas: int) -> None:
        """Wait for exactly this number of replicas, all healthy. Raise Exit on timeout."""
        wait_until(lambda: [each.health for each in stack.containers("web")] == ["healthy"] * replicas)

    def answers(self) -> bool:
        """Return whether the proxy responds without an error; a redirect to TLS counts."""
        connection = HTTPConnection("localhost", int(stack.variables(self.settings)["PROXY_PORT"]), timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status < HTTPStatus.BAD_REQUEST
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def inv(*arguments: str) -> None:
    """Run a task. Raise Exit if it fails."""
    shell.serve(shell.python("invoke", "--search-root", str(paths.ROOT), *arguments), {})


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait until `happened` returns True. Raise Exit on timeout."""
    deadline = time.monotonic() + SECONDS_TO_COME_BACK
    while not happened():
        if time.monotonic() > deadline:
            raise Exit(f"not back after {SECONDS_TO_COME_BACK} s", code=1)
        time.sleep(POLL_SECONDS)


@contextmanager
def put_back() -> Iterator[None]:
    """Restore the images and the number of replicas after the block, even if it fails."""
    replicas = len(stack.containers("web"))
    released, previous = images.released(), images.pointed_at(images.PREVIOUS)
    try:
        yield
    finally:
        with shell.uninterrupted():
            if images.released() != released:
                inv("prod.rollback", "--to", released)
            if len(stack.containers("web")) != replicas:
                inv("prod.scale", "--web", str(replicas))
            images.go_back_to(previous)
