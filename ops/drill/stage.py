"""The stack that a drill is held on: asked and changed as a user would, by `inv prod.…` and `docker`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from invoke.exceptions import Exit

from ops import images, project, shell, stack
from ops.configuration import Configuration
from ops.stack import Container

SECONDS_TO_COME_BACK = 60
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Stage:
    settings: Configuration
    seconds: float
    """How long a fault lasts that has no end of its own."""

    def replica(self) -> Container:
        """The last: in the middle of a drill it is one of several."""
        return stack.containers("web")[-1]

    def wait_until_ready(self, replicas: int) -> None:
        """Raises Exit where so many are not healthy in time."""
        wait_until(lambda: [each.health for each in stack.containers("web")] == ["healthy"] * replicas)

    def answers(self) -> bool:
        """Whether the proxy does, be it that it sends on to TLS."""
        connection = HTTPConnection("localhost", int(stack.variables(self.settings)["PROXY_PORT"]), timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status < HTTPStatus.BAD_REQUEST
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def inv(*arguments: str) -> None:
    """Raises Exit where the task fails."""
    shell.serve(shell.python("invoke", "--search-root", str(project.ROOT), *arguments), {})


def wait_until(happened: Callable[[], bool]) -> None:
    """Raises Exit where it does not."""
    deadline = time.monotonic() + SECONDS_TO_COME_BACK
    while not happened():
        if time.monotonic() > deadline:
            raise Exit(f"not back after {SECONDS_TO_COME_BACK} s", code=1)
        time.sleep(POLL_SECONDS)


@contextmanager
def put_back() -> Iterator[None]:
    """Whatever happens inside, the images and the number of replicas are those from before on return."""
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
