"""nginx in a container, with the production configuration and no replica."""

import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from groundwork.configuration import loader
from groundwork.production import stack
from groundwork.system import docker as engine
from groundwork.system import paths as project
from packages.groundwork.tests.production.docker_cli import docker

HOST = "Host: shop\r\n"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_page(self) -> bool:
        return self.headers["Content-Type"] == "text/html" and b"This did not get through" in self.body

    @property
    def problem(self) -> Any:
        assert self.headers["Content-Type"] == "application/problem+json"
        return json.loads(self.body)


@dataclass(frozen=True)
class Proxy:
    port: int
    network: str
    container: str

    def ask(self, raw: str) -> Answer:
        """Send a raw request, valid or not, and return the response."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=20)) as connection:
            connection.sendall(raw.encode())
            answered = HTTPResponse(connection)
            answered.begin()
            return Answer(answered.status, dict(answered.getheaders()), answered.read())


@contextmanager
def running() -> Iterator[Proxy]:
    """Run nginx in its own network during the block."""
    settings = loader.load("production", missing_secrets="show")
    values = {name: value for name, value in stack.variables(settings).items() if name.startswith("PROXY_")}
    # A slow machine sends more than ten requests a second too.
    values = {**values, "PROXY_UPSTREAM_READ_S": "1", "PROXY_WRITES_PER_SECOND": "10", "PROXY_WRITES_BURST": "300"}
    network = f"{project.compose_project()}-{secrets.token_hex(4)}"
    docker("network", "create", network)
    try:
        started = docker(
            *("run", "--detach", "--rm", "--network", network, "--publish", "127.0.0.1::8080"),
            *("--read-only", "--tmpfs", "/tmp:mode=1777", "--user", engine.user()),  # noqa: S108  the container's own
            *(f"--env={name}={value}" for name, value in values.items()),
            *("--volume", f"{project.ROOT}/compose/nginx:/etc/nginx/proxy:ro"),
            *("--volume", f"{project.ROOT}/packages/groundwork/src/groundwork/flask/http/static:/static:ro"),
            *("--entrypoint", "sh", settings.images.nginx, "/etc/nginx/proxy/start.sh"),
        ).strip()
        try:
            port = int(docker("port", started, "8080").rpartition(":")[2])
            wait_for(port)
            yield Proxy(port, network, started)
        finally:
            docker("rm", "--force", started)
    finally:
        docker("network", "rm", network)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
