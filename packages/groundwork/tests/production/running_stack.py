"""Production stack of a clone, on a real engine: nginx, gunicorn and PostgreSQL."""

import http.client
import json
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundwork.production import cleanup
from groundwork.system import ports
from groundwork.system.paths import NAME
from groundwork.testing import requirements
from packages.groundwork.tests.conftest import Clone, make_clone
from packages.groundwork.tests.production.docker_cli import docker

CLIENTS = 8
PASSWORD = "correct horse battery staple"
PROCESSES = "cat /proc/1/task/1/children"  # of gunicorn


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Stack:
    """Production stack of a clone."""

    clone: Clone
    port: int

    def inv(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.clone.inv(*arguments)

    def ok(self, *arguments: str) -> str:
        finished = self.inv(*arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            return ask(connection, method, path, body, headers)
        finally:
            connection.close()

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Return `docker inspect` of all containers, including exited ones."""
        filters = [f"label=com.docker.compose.project={self.project}"]
        filters += [f"label=com.docker.compose.service={service}"] if service else []
        ids = docker("ps", "--all", "--quiet", *[f"--filter={each}" for each in filters]).split()
        inspected: list[dict[str, Any]] = json.loads(docker("inspect", *ids)) if ids else []
        return inspected

    def sql(self, role: str, statement: str) -> "subprocess.CompletedProcess[str]":
        inside = self.containers("db")[0]["Id"]
        command = ["docker", "exec", inside, "psql", "--username", role, "-AtX", NAME, "--command", statement]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def token(self) -> str:
        """Register a staff account and return its token."""
        self.ok("prod.exec", "flask --app wsgi register-staff clerk@example.com Clerk")
        return self.ok("prod.exec", "flask --app wsgi issue-token clerk@example.com").strip()

    def change_secrets(self, **values: str) -> None:
        for name, value in values.items():
            (self.secrets / name).write_text(value)

    @property
    def copies(self) -> Path:
        """Folder with the copies of files that the containers mount."""
        return self.clone.folder / ".local" / "mounted"

    @property
    def secrets(self) -> Path:
        return self.clone.folder / ".local" / "secrets" / "production"

    @property
    def project(self) -> str:
        from_clone = "from groundwork.production import stack; print(stack.PROJECT)"
        command = [*self.clone.command()[:1], "-c", from_clone]
        return subprocess.check_output(command, cwd=self.clone.folder, text=True).strip()


def make_stack(place: Path) -> Stack:
    requirements.require("compose")
    clone = make_clone(place / cleanup.claimed_folder())
    subprocess.run(["chmod", "-R", "go=", clone.folder], check=True)  # as under umask 077
    port = ports.any_free()
    environment = {name: value for name, value in clone.environment.items() if name != "DOCKER_HOST"}
    several = {"GUNICORN_WORKERS": "2"}  # where they are of one mind, one is too
    return Stack(replace(clone, environment={**environment, **several, "PROXY_PORT": str(port)}), port)


def clear(stack: Stack) -> None:
    project = stack.project
    down = stack.inv("prod.down", "--volumes", "--yes-i-mean", NAME)
    cleanup.remove_images(project)
    assert down.returncode == 0, down.stderr
    assert stack.containers() == []
    assert docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={project}") == ""
    assert docker("network", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={project}") == ""


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
    answered = connection.getresponse()
    return Answer(answered.status, dict(answered.headers), answered.read())


def versions_and_health(status: str) -> list[list[str]]:
    """Return versions and health per container, without values that change when it is replaced."""
    rows = [line.split()[1:4] for line in status.partition("\n\n")[0].splitlines()[1:]]
    return sorted([cell for cell in row if not re.fullmatch(r"[\d.]+", cell)] for row in rows)  # no addresses


def versions(stack: Stack) -> set[str]:
    return {each["Config"]["Labels"]["org.opencontainers.image.version"] for each in stack.containers("web")}
