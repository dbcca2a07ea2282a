"""What `docker compose` is told about a stack: which file, which project, which values."""

import json
import re
import subprocess

from ops import engine, project, shell
from ops.configuration import Configuration

POSTGRES_PORT = "5432"  # inside the network of the stack, where every container has its own ports


def command(*arguments: str) -> list[str]:
    return [
        "docker", "compose", "--project-name", project.compose_project(),
        "--file", "compose/development.yml", "--file", "-", *arguments,
    ]  # fmt: skip


def run(configuration: Configuration, *arguments: str) -> None:
    """Run to the end. Raises Exit with Compose's own code."""
    shell.run(command(*arguments), variables(configuration), stdin=environment_of_web(configuration))


def environment_of_web(configuration: Configuration) -> str:
    """A Compose file, for standard input, that gives web the configuration.

    It is made instead of written: a setting that is added to config/*.json reaches the container by itself,
    and no secret is left in a file.
    """
    inside = {**configuration.environment, "POSTGRES_HOST": "db", "POSTGRES_PORT": POSTGRES_PORT}
    escaped = {name: value.replace("$", "$$") for name, value in inside.items()}
    return json.dumps({"services": {"web": {"environment": escaped}}})


def variables(configuration: Configuration) -> dict[str, str]:
    """What the Compose file itself refers to."""
    return {
        **configuration.environment,
        "POSTGRES_IMAGE": configuration.images["postgres"],
        "WEB_USER": engine.user(),
    }


def container(service: str) -> str | None:
    """The running container of a service of this checkout's stack."""
    return next(iter(_listed(service, "{{.ID}}")), None)


def published_port(service: str, port: str) -> int | None:
    """Where a service of this checkout's stack can be reached from this machine, if it runs."""
    published = re.search(rf":(\d+)->{port}/tcp", " ".join(_listed(service, "{{.Ports}}")))
    return int(published[1]) if published else None


def has_image(service: str) -> bool:
    """Whether the image that Compose builds for a service is there, of whatever age."""
    return bool(shell.read(["docker", "images", "--quiet", f"{project.compose_project()}-{service}"]).strip())


def _listed(service: str, what: str) -> list[str]:
    """Of the running containers of a service; of none where no engine answers."""
    command = [
        *("docker", "ps", "--format", what),
        *("--filter", f"label=com.docker.compose.project={project.compose_project()}"),
        *("--filter", f"label=com.docker.compose.service={service}"),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
