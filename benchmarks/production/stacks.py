"""Stacks that differ from ours in what is compared, on the database of ours."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.measure import Failed
from benchmarks.production.checkout import HERE, Checkout
from ops import ports, shell

SECONDS_TO_SERVE = 60
SELDOM = "1h"


@dataclass(frozen=True, eq=False)
class Variant:
    """What differs; where nothing does, it is the stack that `inv prod.up` started."""

    name: str
    command: Sequence[str] = ()
    """In the place of the image's."""
    settings: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    """As compose/production.yml calls them: WEB_CPUS, WEB_REPLICAS."""
    proxy: Literal["", "tutorial", "socket", "alone"] = ""
    """The script in the folder nginx that starts it; `alone` has no service behind it."""
    module: str = ""
    """A file in this folder that is there beside wsgi.py."""

    @property
    def is_ours(self) -> bool:
        return not (self.command or self.settings or self.sizes or self.proxy or self.module)


class Stacks:
    """Those that are not asked anything are idle: not even their health is looked at."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._ports: dict[Variant, int] = {}

    def serve(self, variant: Variant) -> int:
        """Its port; it is started the first time."""
        if variant.is_ours:
            return self._checkout.port
        if variant not in self._ports:
            self._start(variant)
        return self._ports[variant]

    def end(self) -> None:
        """All but ours."""
        for number in range(len(self._ports)):
            self._compose(number, Variant(""), "down", "--volumes", "--timeout", "1")
        self._ports.clear()

    def _start(self, variant: Variant) -> None:
        number, port = len(self._ports), ports.any_free()
        self._ports[variant] = port  # already now: what fails half-way is ended too
        variables = {"PROXY_PORT": str(port), "WEB_IMAGE": self._checkout.image_of_contenders, **variant.sizes}
        try:
            for service in ("proxy",) if variant.proxy == "alone" else ("web", "proxy"):
                self._compose(number, variant, "up", "--detach", "--wait", "--no-deps", service, **variables)
            wait_until_it_serves(port)
        except Failed as failed:
            said = self._compose(number, variant, "logs", "--tail", "20")
            raise Failed(f"{variant.name}: {failed}\n{said}") from None

    def _compose(self, number: int, variant: Variant, *arguments: str, **variables: str) -> str:
        services = json.loads(self._checkout.overlay)["services"]
        added = overlay(variant, services, self._checkout.project)
        return self._checkout.compose(f"{self._checkout.project}-{number}", added, *arguments, **variables)


def overlay(variant: Variant, services: dict[str, Any], project: str) -> str:
    """What Compose adds to compose/production.yml, as YAML: JSON could not take back that the network is internal."""
    web: dict[str, Any] = services["web"]
    proxy: dict[str, Any] = {"volumes": [], "healthcheck": {"interval": SELDOM}}
    web |= {
        "volumes": [],
        "healthcheck": {"interval": SELDOM},
        "environment": {**web["environment"], **variant.settings},
    }
    if variant.command:
        # Elsewhere than where our configuration is, which gunicorn would read by itself.
        web |= {"command": list(variant.command), "working_dir": "/tmp"}  # noqa: S108
    if variant.module:
        web["volumes"].append(f"{HERE / variant.module}:/srv/{variant.module}:ro")
    if variant.proxy:
        proxy["volumes"].append(f"{HERE / 'nginx'}:/contender:ro")
        proxy["entrypoint"] = ["sh", f"/contender/{variant.proxy}.sh"]
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


def wait_until_it_serves(port: int) -> None:
    """Raises Failed where it does not."""
    deadline = time.monotonic() + SECONDS_TO_SERVE
    answer: object = None
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/products?limit=1")
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
def stacks(checkout: Checkout) -> Iterator[Stacks]:
    started = Stacks(checkout)
    try:
        yield started
    finally:
        with shell.uninterrupted():
            started.end()
