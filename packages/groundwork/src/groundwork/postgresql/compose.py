"""Commands for the `docker compose` stack of development: files, project name, variables."""

import json
import re
import subprocess

from groundwork.configuration.loader import Configuration
from groundwork.system import docker, paths, shell

FILE = "compose/development.yml"
POSTGRES_PORT = "5432"  # inside the network of the stack


def command(*arguments: str) -> list[str]:
    return [
        "docker", "compose", "--project-name", paths.compose_project(),
        "--file", FILE, "--file", "-", *arguments,
    ]  # fmt: skip


def run(configuration: Configuration, *arguments: str) -> None:
    """Run a Compose command. Raises Exit with its exit code."""
    shell.run(command(*arguments), variables(configuration), stdin=web_override(configuration))


def inside(configuration: Configuration) -> Configuration:
    """Return the configuration with the database's address in a stack; variables may have that of another server."""
    return configuration.with_values("the network of the stack", POSTGRES_HOST="db", POSTGRES_PORT=POSTGRES_PORT)


def web_override(configuration: Configuration) -> str:
    """Return a Compose override for standard input, with the environment of the service web.

    Generating it passes new settings of config/*.json without an edit, and leaves no secret in a file.
    """
    escaped = {name: value.replace("$", "$$") for name, value in inside(configuration).environment.items()}
    return json.dumps({"services": {"web": {"environment": escaped}}})


def variables(configuration: Configuration) -> dict[str, str]:
    """Return the variables that the Compose file interpolates."""
    return {
        **configuration.environment,
        "POSTGRES_IMAGE": configuration.images.postgres,
        "WEB_USER": docker.user(),
        "TRACING": tracing(configuration),
    }


def tracing(configuration: Configuration) -> str:
    """Return the build argument TRACING; empty for an image without the packages of the dependency group `tracing`."""
    return "yes" if configuration.environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") else ""


def container_id(service: str) -> str | None:
    """Return the ID of a running container of a service; None if there is none."""
    return next(iter(_running_containers(service, "{{.ID}}")), None)


def published_port(service: str, port: str) -> int | None:
    """Return the host port of a container port; None if the service is not running."""
    published = re.search(rf":(\d+)->{port}/tcp", " ".join(_running_containers(service, "{{.Ports}}")))
    return int(published[1]) if published else None


def has_image(service: str) -> bool:
    """Return whether the image that Compose builds for a service exists, even if outdated."""
    return bool(shell.read(["docker", "images", "--quiet", f"{paths.compose_project()}-{service}"]).strip())


def _running_containers(service: str, template: str) -> list[str]:
    """Return a line by the template for each running container; none if no engine answers."""
    command = [
        *("docker", "ps", "--format", template),
        *("--filter", f"label=com.docker.compose.project={paths.compose_project()}"),
        *("--filter", f"label=com.docker.compose.service={service}"),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
