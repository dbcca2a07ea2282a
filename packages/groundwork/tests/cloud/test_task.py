"""The ECS task of the service, run by Docker: the planned containers in one network namespace, with PostgreSQL."""

import json
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

import pytest

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.parity import terraform
from groundwork.system import paths
from groundwork.testing.service import wait_until
from packages.groundwork.tests.terraform import provider

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
NGINX, GUNICORN = 8080, 8000
SLOW_BODIES = 8
"""Twice as many as a replica has threads."""
SECONDS_TO_ANSWER = 2
USER = json.dumps({"email": "ada@example.com", "name": "Ada", "password": "correct horse"}).encode()
PASSWORD = secrets.token_hex()
HERE = {
    "POSTGRES_HOST": "127.0.0.1",
    "POSTGRES_USER": "postgres",
    "APPLICATION_DB": "postgres",
    "PGSSLMODE": "disable",
    "POSTGRES_PASSWORD": PASSWORD,
    "SECRET_KEY": secrets.token_hex(),
    # Requests come from the engine's network, in which the load balancer would be.
    "PROXY_BALANCER_NETWORK": "0.0.0.0/0",
}
"""Values that only AWS knows. The others are those of the planned task."""


@dataclass(frozen=True)
class Task:
    ports: dict[int, int]
    """Ports on this machine, by port in the task."""
    proxy: str
    """Container ID of nginx."""
    stop_timeout: int

    def ask(self, path: str, port: int = NGINX, method: str = "GET", forwarded_for: str = "") -> int:
        """Send a request over a new connection; return the status, or 0 if there is no answer in time."""
        headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
        with closing(HTTPConnection("127.0.0.1", self.ports[port], timeout=SECONDS_TO_ANSWER)) as connection:
            try:
                connection.request(method, path, headers=headers)
                return connection.getresponse().status
            except (OSError, HTTPException):
                return 0

    @contextmanager
    def slow_bodies(self, port: int) -> Iterator[list[socket.socket]]:
        """Hold requests open of which only the first byte of the body has been sent."""
        with ExitStack() as opened:
            connections = []
            for _ in range(SLOW_BODIES):
                connection = socket.create_connection(("127.0.0.1", self.ports[port]), timeout=20)
                opened.enter_context(closing(connection)).sendall(head("/api/users", USER) + USER[:1])
                connections.append(connection)
            time.sleep(0.5)  # so that each has arrived
            yield connections


def test_slow_bodies_do_not_reach_gunicorn(task: Task) -> None:
    with task.slow_bodies(NGINX):
        statuses = [task.ask(path) for path in ("/healthz", "/readyz", "/api/products") for _ in range(3)]
        alive = task.ask("/healthz", GUNICORN)  # as ECS checks it

    assert (set(statuses), alive) == ({200}, 200)


def test_gunicorn_alone_is_held_by_slow_bodies(task: Task) -> None:
    """This is why nginx is in the task. Change docs/cloud.md and the decision if it is no longer so."""
    with task.slow_bodies(GUNICORN):
        held = task.ask("/healthz", GUNICORN)

    assert held == 0
    wait_until(lambda: task.ask("/healthz") == 200)


def test_a_body_that_arrives_slowly_is_answered(task: Task) -> None:
    with closing(socket.create_connection(("127.0.0.1", task.ports[NGINX]), timeout=20)) as connection:
        connection.sendall(head("/api/users", USER) + USER[:1])
        time.sleep(1)
        connection.sendall(USER[1:])

        assert status(connection) in (201, 409)  # 409 where an earlier test has registered Ada


def test_limits_count_the_client_that_the_load_balancer_names(task: Task) -> None:
    burst = loader.load("production", missing_secrets="show").proxy.passwords_burst

    def sign_in(forwarded_for: str) -> int:
        return task.ask("/api/tokens", method="POST", forwarded_for=forwarded_for)

    flood = [sign_in("192.0.2.1") for _ in range(2 * burst)]

    assert 429 in flood
    assert sign_in("192.0.2.9, 192.0.2.1") == 429  # only the last address is the load balancer's word
    assert sign_in("192.0.2.2") != 429


def test_a_client_knows_that_it_is_on_tls(task: Task) -> None:
    with closing(HTTPConnection("127.0.0.1", task.ports[NGINX], timeout=SECONDS_TO_ANSWER)) as connection:
        connection.request("GET", "/sign-in")
        headers = connection.getresponse().headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_nginx_serves_the_static_files(task: Task) -> None:
    assert {task.ask(path) for path in ("/desk/desk.css", "/api/docs/reference.js")} == {200}


def test_a_request_in_work_is_answered_while_the_task_ends(task: Task) -> None:
    """ECS stops nginx first, because it depends on gunicorn, and gunicorn once nginx has ended."""
    with closing(socket.create_connection(("127.0.0.1", task.ports[NGINX]), timeout=20)) as connection:
        connection.sendall(head("/api/users", USER) + USER[:1])
        time.sleep(0.5)
        stop = ["docker", "stop", "--timeout", str(task.stop_timeout), task.proxy]
        with subprocess.Popen(stop, stdout=subprocess.DEVNULL) as stopping:
            time.sleep(1)
            assert task.ask("/healthz") == 0
            connection.sendall(USER[1:])
            answered = status(connection)
        ended = docker("inspect", "--format", "{{.State.ExitCode}}", task.proxy).strip()
        docker("start", task.proxy)
        wait_until(lambda: task.ask("/healthz") == 200)

    assert (answered in (201, 409), stopping.returncode, ended) == (True, 0, "0")


def head(path: str, body: bytes) -> bytes:
    kind = "Content-Type: application/json\r\n"
    return f"POST {path} HTTP/1.1\r\nHost: shop\r\n{kind}Content-Length: {len(body)}\r\n\r\n".encode()


def status(connection: socket.socket) -> int:
    answered = HTTPResponse(connection)
    answered.begin()
    return answered.status


@pytest.fixture(scope="module")
def task() -> Iterator[Task]:
    settings = loader.load("production", environ={}, missing_secrets="show")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CLI_ARGS_init", f"-plugin-dir={provider.mirror()}")
        planned = terraform.planned_containers(settings)
    with ExitStack() as opened:
        images = {
            "web": opened.enter_context(built("production")),
            "proxy": opened.enter_context(built("proxy", NGINX=settings.images.nginx)),
        }
        owner = opened.enter_context(database(settings))
        migrate = ("python", "-m", "alembic", "upgrade", "head")
        docker("run", "--rm", *options(owner, planned["web"]), images["web"], *migrate)
        for name in ("web", "proxy"):
            started = docker("run", "--detach", *options(owner, planned[name]), images[name]).strip()
            opened.callback(docker, "rm", "--force", "--volumes", started)
        ports = {each: int(docker("port", owner, str(each)).rpartition(":")[2]) for each in (NGINX, GUNICORN)}
        found = Task(ports, started, planned["proxy"]["stopTimeout"])
        wait_until(lambda: found.ask("/readyz") == 200)
        yield found


def options(owner: str, container: Mapping[str, Any]) -> list[str]:
    """Return the options of `docker run` for a container of the task."""
    assert container["readonlyRootFilesystem"]
    environment = {each["name"]: each["value"] for each in container["environment"]}
    wanted = {*environment, *(each["name"] for each in container.get("secrets", []))}
    environment |= {name: value for name, value in HERE.items() if name in wanted}
    return [
        *("--network", f"container:{owner}", "--read-only", "--cap-drop", "ALL", "--user", container["user"]),
        *("--cpus", str(container["cpu"] / 1024), "--memory", f"{container['memory']}m"),
        *(f"--env={name}={value}" for name, value in environment.items()),
        *(f"--volume={each['containerPath']}" for each in container["mountPoints"]),
    ]


@contextmanager
def database(settings: Configuration) -> Iterator[str]:
    """Run PostgreSQL in the network namespace of the task, which it keeps for the other containers."""
    published = [f"--publish=127.0.0.1::{port}" for port in (NGINX, GUNICORN)]
    password = f"--env=POSTGRES_PASSWORD={PASSWORD}"
    started = docker("run", "--detach", *published, password, settings.images.postgres).strip()
    try:
        ready = ["docker", "exec", started, "pg_isready", "--quiet", "--host", "127.0.0.1"]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0)
        yield started
    finally:
        docker("rm", "--force", "--volumes", started)


@contextmanager
def built(target: str, **arguments: str) -> Iterator[str]:
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    name = f"{paths.compose_project()}-{secrets.token_hex(4)}-{target}"
    docker("build", "--quiet", "--file", "compose/Dockerfile", "--target", target, *given, "--tag", name, ".")
    try:
        yield name
    finally:
        docker("rmi", name)


def docker(*arguments: str) -> str:
    return subprocess.check_output(["docker", *arguments], text=True, cwd=paths.ROOT)
