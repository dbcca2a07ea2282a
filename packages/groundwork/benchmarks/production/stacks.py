"""Stacks that differ from ours in one compared property and share its database."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from groundwork.system import ports, shell
from packages.groundwork.benchmarks.measure import Failed
from packages.groundwork.benchmarks.production.checkout import HERE, Checkout

SECONDS_TO_SERVE = 60
SELDOM = "1h"
AT_ONCE = 4
EDITS = {
    "socket": "s|server serving:8000 resolve|server unix:/sockets/web.sock|",
    "least_busy": "s|zone web 256k;|& least_conn;|",
}
"""sed expressions for our nginx.conf."""


@dataclass(frozen=True, eq=False)
class Variant:
    """Differences from our stack. Without any, it is the stack that `inv prod.up` started."""

    name: str
    command: Sequence[str] = ()
    """Replacement for the command of the image."""
    settings: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    """Variables of compose/production.yml, such as WEB_CPUS and WEB_REPLICAS."""
    proxy: Literal["", "tutorial", "socket", "least_busy", "alone"] = ""
    """Key of EDITS, or the name of a start script in nginx/; `alone` has no service behind it."""
    module: Path | None = None
    """File to mount next to wsgi.py."""

    @property
    def is_ours(self) -> bool:
        return not (self.command or self.settings or self.sizes or self.proxy or self.module)


@dataclass(frozen=True)
class Running:
    port: int
    number: int


class Stacks:
    """Running stacks. Unused ones stay idle, because their health checks are rare."""

    def __init__(self, checkout: Checkout, together: Sequence[Sequence[Variant]] = ()) -> None:
        """Keep the stacks for later starts. Each group in `together` starts when one of its variants is needed."""
        self._checkout = checkout
        self._together = together
        self._started: dict[Variant, Running] = {}

    def serve(self, variant: Variant) -> int:
        """Start the variant if it does not run yet, and return its port."""
        if variant.is_ours:
            return self._checkout.port
        if variant not in self._started:
            first = len(self._started)
            wanted = next((group for group in self._together if variant in group), [variant])
            new = {each: Running(ports.any_free(), number) for number, each in enumerate(wanted, first)}
            self._started |= new  # before the start, so that end() also covers stacks that fail to start
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._start, new))
        return self._started[variant].port

    def end(self) -> None:
        """Stop all stacks except ours."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._end, self._started))
        self._started.clear()

    def run(self, variant: Variant, *command: str) -> str:
        """Run a command in the container of a variant that runs already, and return its output."""
        return self._compose(variant, "exec", "--no-TTY", "web", *command)

    def _start(self, variant: Variant) -> None:
        running = self._started[variant]
        variables = {"PROXY_PORT": str(running.port), "WEB_IMAGE": self._checkout.image_of_contenders, **variant.sizes}
        services = ["proxy"] if variant.proxy == "alone" else ["web", "proxy"]
        try:
            self._compose(variant, "up", "--detach", "--wait", "--no-deps", *services, **variables)
            wait_until_it_serves(running.port, self._checkout.token)
        except Failed as failed:
            raise Failed(f"{variant.name}: {failed}\n{self._compose(variant, 'logs', '--tail', '20')}") from None

    def _end(self, variant: Variant) -> None:
        self._compose(variant, "down", "--volumes", "--timeout", "1")

    def _compose(self, variant: Variant, *arguments: str, **variables: str) -> str:
        added = overlay(variant, json.loads(self._checkout.overlay)["services"], self._checkout.project)
        name = f"{self._checkout.project}-{self._started[variant].number}"
        return self._checkout.compose(name, added, *arguments, **variables)


def overlay(variant: Variant, services: dict[str, Any], project: str) -> str:
    """Return an overlay for compose/production.yml. It is YAML, because JSON cannot reset `internal`."""
    web: dict[str, Any] = dict(services["web"])
    proxy: dict[str, Any] = {"volumes": [], "healthcheck": {**services["proxy"]["healthcheck"], "interval": SELDOM}}
    web |= {
        "volumes": [],
        "healthcheck": {**web.get("healthcheck", {}), "interval": SELDOM},
        "environment": {**web["environment"], **variant.settings},
    }
    if variant.command:
        # gunicorn would read our configuration from its working directory.
        web |= {"command": list(variant.command), "working_dir": "/tmp"}  # noqa: S108  the container's
        web["healthcheck"]["test"] = ["CMD", "true"]  # not all servers have our health endpoint
    if variant.module:
        web["volumes"].append(f"{variant.module}:/srv/{variant.module.name}:ro")
    if variant.proxy:
        proxy["volumes"].append(f"{HERE / 'nginx'}:/contender:ro")
        edit = EDITS.get(variant.proxy)
        proxy["entrypoint"] = ["sh", *(["/contender/edited.sh", edit] if edit else [f"/contender/{variant.proxy}.sh"])]
    if variant.proxy in ("tutorial", "alone"):
        proxy["healthcheck"]["test"] = ["CMD", "true"]  # our check uses a location that is missing there
    if variant.proxy == "socket":
        web["volumes"].append("sockets:/sockets")
        proxy["volumes"].append("sockets:/sockets")
    return f"""
services: {json.dumps({**services, "web": web, "proxy": proxy})}
networks:
  data: {{external: true, internal: !reset null, name: {project}_data}}
volumes:
  sockets: {{driver_opts: {{type: tmpfs, device: tmpfs, o: "mode=1777"}}}}
"""


def wait_until_it_serves(port: int, token: str) -> None:
    """Wait for a 200 response. Raise Failed after SECONDS_TO_SERVE, with the last status or error."""
    deadline = time.monotonic() + SECONDS_TO_SERVE
    answer: object = None
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/orders?limit=1", headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse().status
        except OSError as error:
            answer = error
        finally:
            connection.close()
        if answer == 200:
            return
        time.sleep(0.05)
    raise Failed(f"port {port}: no status 200 within {SECONDS_TO_SERVE} s; last status or error: {answer}")


@contextmanager
def stacks(checkout: Checkout, together: Sequence[Sequence[Variant]] = ()) -> Iterator[Stacks]:
    started = Stacks(checkout, together)
    try:
        yield started
    finally:
        with shell.uninterrupted():
            started.end()
