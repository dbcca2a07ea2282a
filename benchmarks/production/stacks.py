"""Stacks that differ from ours in what is compared, on the database of ours."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.measure import Failed
from benchmarks.production.checkout import HERE, Checkout
from ops import ports, shell

SECONDS_TO_SERVE = 60
SELDOM = "1h"
AT_ONCE = 4
EDITS = {
    "socket": "s|server serving:8000 resolve|server unix:/sockets/web.sock|",
    "in_turn": "s|least_conn;||",
}
"""Of our nginx.conf."""


@dataclass(frozen=True, eq=False)
class Variant:
    """What differs; where nothing does, it is the stack that `inv prod.up` started."""

    name: str
    command: Sequence[str] = ()
    """In the place of the image's."""
    settings: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    """As compose/production.yml calls them: WEB_CPUS, WEB_REPLICAS."""
    proxy: Literal["", "tutorial", "socket", "in_turn", "alone"] = ""
    """One of EDITS, else a script in the folder nginx that starts it; `alone` has no service behind it."""
    module: Path | None = None
    """A file that is there beside wsgi.py."""

    @property
    def is_ours(self) -> bool:
        return not (self.command or self.settings or self.sizes or self.proxy or self.module)


@dataclass(frozen=True)
class Running:
    port: int
    number: int


class Stacks:
    """Those that are not asked anything are idle: not even their health is looked at."""

    def __init__(self, checkout: Checkout, together: Sequence[Sequence[Variant]] = ()) -> None:
        """Of those named `together`, all start when the first is asked for."""
        self._checkout = checkout
        self._together = together
        self._started: dict[Variant, Running] = {}

    def serve(self, variant: Variant) -> int:
        """Its port; it is started the first time."""
        if variant.is_ours:
            return self._checkout.port
        if variant not in self._started:
            first = len(self._started)
            wanted = next((group for group in self._together if variant in group), [variant])
            new = {each: Running(ports.any_free(), number) for number, each in enumerate(wanted, first)}
            self._started |= new  # already now: what fails half-way is ended too
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._start, new))
        return self._started[variant].port

    def end(self) -> None:
        """All but ours."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._end, self._started))
        self._started.clear()

    def run(self, variant: Variant, *command: str) -> str:
        """In the container of its service, which serves already. Returns what it printed."""
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
    """What Compose adds to compose/production.yml, as YAML: JSON could not take back that the network is internal."""
    web: dict[str, Any] = dict(services["web"])
    proxy: dict[str, Any] = {"volumes": [], "healthcheck": {"interval": SELDOM}}
    web |= {
        "volumes": [],
        "healthcheck": {**web.get("healthcheck", {}), "interval": SELDOM},
        "environment": {**web["environment"], **variant.settings},
    }
    if variant.command:
        # Elsewhere than where our configuration is, which gunicorn would read by itself.
        web |= {"command": list(variant.command), "working_dir": "/tmp"}  # noqa: S108  the container's
        web["healthcheck"]["test"] = ["CMD", "true"]  # not all answer what ours is asked
    if variant.module:
        web["volumes"].append(f"{variant.module}:/srv/{variant.module.name}:ro")
    if variant.proxy:
        proxy["volumes"].append(f"{HERE / 'nginx'}:/contender:ro")
        edit = EDITS.get(variant.proxy)
        proxy["entrypoint"] = ["sh", *(["/contender/edited.sh", edit] if edit else [f"/contender/{variant.proxy}.sh"])]
    if variant.proxy in ("tutorial", "alone"):
        proxy["healthcheck"]["test"] = ["CMD", "true"]  # ours asks a location that is not there
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
    """Raises Failed where it does not."""
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
    raise Failed(f"no answer on port {port} within {SECONDS_TO_SERVE} s, but {answer}")


@contextmanager
def stacks(checkout: Checkout, together: Sequence[Sequence[Variant]] = ()) -> Iterator[Stacks]:
    started = Stacks(checkout, together)
    try:
        yield started
    finally:
        with shell.uninterrupted():
            started.end()
