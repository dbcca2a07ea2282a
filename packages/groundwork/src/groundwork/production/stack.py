"""The production stack of this checkout: its Compose commands and the state of its containers."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from groundwork.configuration import loader, schema, sections
from groundwork.configuration.loader import Configuration
from groundwork.postgresql.compose import inside
from groundwork.postgresql.database import Database
from groundwork.production import mounted, tls
from groundwork.system import docker, paths, shell
from groundwork.system.errors import Exit

FILE = "compose/production.yml"
PROJECT = f"{paths.compose_project()}-production"
FRONT = f"{PROJECT}_front"
VOLUME = f"{PROJECT}_pgdata"
SERVING = "serving"
"""Network alias of all ready replicas on the proxy's network."""
LINES_SHOWN = 80
IMAGE = f"{PROJECT}-web"
RELEASED = f"{IMAGE}:released"
"""Tag of the image that serves."""
PASSWORD_FILE = "/run/secrets/POSTGRES_PASSWORD"  # noqa: S105  a path
SECRETS_LABEL = f"{paths.NAME}.secrets"
PSQL = ("psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--username", "postgres", "-At")
"""psql as the superuser, over the socket in the container, with machine-readable output."""


@dataclass(frozen=True)
class Container:
    """State of a container, as Docker reports it."""

    id: str
    service: str
    number: int
    state: str
    exit_code: int
    restarts: int
    """Number of automatic restarts after it exited by itself."""
    health: str
    """Empty without a health check."""
    image: str
    """Image ID."""
    configured: str
    """Compose's hash of the configuration that it was created from."""
    addresses: dict[str, str]
    """IP addresses by network; the names lack the project's prefix."""
    version: str
    started: str
    mounts: dict[str, str]
    """Bind mounts: paths on this machine by paths in the container."""

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"

    @property
    def has_failed(self) -> bool:
        """Return whether it exited with an error, or is not healthy (yet)."""
        return self.health not in ("", "healthy") or self.exit_code != 0


def known() -> Configuration:
    """Return production's configuration, without secrets that do not exist yet.

    Raise InvalidConfiguration if a value is invalid or a placeholder. Raise Exit with a one-line remedy if the project
    has no stack, or if containers cannot be used here.
    """
    require_file()
    settings = inside(loader.load("production", missing_secrets="show"))
    try:
        with ThreadPoolExecutor() as pool:
            compose = pool.submit(docker.require_compose)
            docker.require(settings.images.postgres, settings.images.nginx)
            compose.result()
    except docker.NoEngine as reason:
        remedy = "install Docker Engine with Compose (https://docs.docker.com/engine/install), or start it"
        raise Exit(f"the production stack needs a Docker Engine, and {reason}: {remedy}", code=1) from None
    paths.claim()
    return settings


def require_file() -> None:
    """Raise Exit if the project has no production stack."""
    if not (paths.ROOT / FILE).is_file():
        raise Exit(f"{FILE}: there is no such file, so this project has no production stack on one machine", code=1)


def load() -> Configuration:
    """Return production's configuration; generate missing secrets and a missing certificate, which is self-signed."""
    settings = known()
    if has_tls(settings) and not settings[sections.CERTIFICATE] + settings[sections.KEY]:
        tls.make(mounted.secrets_folder(), settings.images.nginx)
    return inside(loader.load("production", missing_secrets="generate"))


def command(settings: Configuration, *arguments: str) -> list[str]:
    files = [FILE, *(["compose/production-tls.yml"] if has_tls(settings) else []), "-"]
    return [
        *("docker", "compose", "--project-name", PROJECT, "--progress", "quiet"),
        *(part for file in files for part in ("--file", file)),
        *arguments,
    ]


def has_tls(settings: Configuration) -> bool:
    return settings.proxy.tls_port is not None


def url(settings: Configuration) -> str:
    """Return the URL of the service on this machine."""
    scheme, port = ("https", "PROXY_TLS_PORT") if has_tls(settings) else ("http", "PROXY_PORT")
    return f"{scheme}://localhost:{variables(settings)[port]}"


def run(settings: Configuration, *arguments: str, image: str = RELEASED) -> None:
    """Run Compose with this image of the service. Raise Exit with Compose's exit code if it fails."""
    shell.run(command(settings, *arguments), variables(settings, image), stdin=environments(settings))


def environments(settings: Configuration) -> str:
    """Return a Compose file, for standard input, with the service's settings and health checks, but not its secrets."""
    names = set(schema.settings("production"))
    given = {name: value.replace("$", "$$") for name, value in settings.environment.items() if name in names}
    given = {name: value for name, value in given.items() if name not in settings.secrets}
    migrating = {**given, "POSTGRES_USER": settings.migrations.role}
    health = settings.containers.web.health
    # Readiness, not liveness: the engine restarts nothing for it, and a deploy waits until a replica can serve.
    ready = ["CMD", *(part.replace("$", "$$") for part in (*health.command, health.ready_path))]
    check = {
        "interval": f"{health.interval_s}s",
        "timeout": f"{health.timeout_s}s",
        "retries": health.retries,
        "start_period": f"{health.start_period_s}s",
    }
    # Compose compares neither the content nor the paths of mounted secrets. Without this label, it would keep
    # containers that mount an old secret, or the old path of a checkout that was moved.
    labels = {SECRETS_LABEL: f"{mounted.hash_of_secrets(settings)} {paths.LOCAL}".replace("$", "$$")}
    web = {"environment": given, "healthcheck": {"test": ready, **check}, "labels": labels}
    migrate = {"environment": migrating, "labels": labels}
    return json.dumps({"services": {"web": web, "migrate": migrate, "proxy": {"healthcheck": check}}})


def variables(settings: Configuration, image: str = RELEASED) -> dict[str, str]:
    """Return the Compose file's variables: WEB_CPUS is containers/web/cpus, unless the environment sets WEB_CPUS."""
    described = (*asdict(settings.containers).items(), ("proxy", asdict(settings.proxy)))
    values = {
        f"{name}_{key}".upper(): str(value)
        for name, section in described
        for key, value in section.items()
        if value is not None and not isinstance(value, dict)
    }
    return {
        **{name: os.environ.get(name, value) for name, value in values.items()},
        "POSTGRES_IMAGE": settings.images.postgres,
        "NGINX_IMAGE": settings.images.nginx,
        "WEB_IMAGE": image,
        "PROXY_CONFIGURATION": mounted.hash_of_proxy(settings),
        "RUN_AS": user(settings),
        "MOUNTED": str(mounted.folder(settings)),
        "MOUNTED_NGINX": str(mounted.nginx_folder(settings)),
    }


def user(settings: Configuration) -> str:
    """Return the user that runs the service and owns its secrets: the caller, or the configured one if that is root.

    Windows has no UIDs, so it uses the configured one too. There, the engine lets all users read mounted files.
    """
    is_ordinary = hasattr(os, "getuid") and os.getuid() != 0
    return docker.user() if is_ordinary else str(settings.containers.web.user)


def give_roles(settings: Configuration) -> None:
    """Create or update the database and its two roles, with the current passwords in the secrets.

    Replicas that were started with an earlier password can connect before and after the change.
    """
    password = settings["POSTGRES_PASSWORD"]
    for each in containers("web", all_states=True):
        mounted.add_password(Path(each.mounts.get(PASSWORD_FILE, "")), password)
    create_roles(settings)


def create_roles(settings: Configuration) -> None:
    """Create or update the database and its roles with the passwords of these settings."""
    from groundwork.migrations import roles  # it imports psycopg, which most tasks do without

    app = (settings["POSTGRES_USER"], settings["POSTGRES_PASSWORD"])
    migrator = (settings.migrations.role, settings["MIGRATOR_PASSWORD"])
    roles.create(sql, "postgres", settings["APPLICATION_DB"], app, migrator)


def token(replica: str, email: str) -> str:
    """Create a staff account and return an API token of it, valid for one day."""
    commands = f"flask --app wsgi register-staff {email} Load >&2 && flask --app wsgi issue-token {email}"
    return shell.read(["docker", "exec", replica, "sh", "-c", commands]).strip()


def sql(database: str, script: str) -> str:
    """Run a script in psql and return its output. Raise Exit with PostgreSQL's message if it fails."""
    # Standard input, because all users of the machine can read command lines.
    return shell.read(["docker", "exec", "--interactive", only("db").id, *PSQL, database], stdin=script)


def database(settings: Configuration) -> Database:
    """Return the database with its owner's credentials. Raise Exit if it is not running, or unreachable from here."""
    address = only("db").addresses["data"]
    if sys.platform != "linux":
        raise Exit("container addresses are reachable on Linux only: run this on the production machine", code=1)
    reached = settings.as_owner().with_values("the production stack", POSTGRES_HOST=address)
    return Database(reached, "PostgreSQL of the production stack")


def is_current(settings: Configuration, containers: Sequence[Container], image: str = RELEASED) -> bool:
    """Return whether these containers of one service match the configuration and, for web, the image."""
    asked = command(settings, "config", "--hash", *{each.service for each in containers})
    told = shell.read(asked, variables(settings, image), stdin=environments(settings))
    return {each.configured for each in containers} == {told.split()[1]}


def containers(service: str = "", *, all_states: bool = False) -> list[Container]:
    """Return the running containers, sorted by service and number; with `all_states`, also those that do not run."""
    listing = ["docker", "ps", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}"]
    listing += ["--filter", "label=com.docker.compose.oneoff=False"]
    listing += ["--all"] if all_states else []
    listing += ["--filter", f"label=com.docker.compose.service={service}"] if service else []
    ids = shell.read(listing).split()
    if not ids:
        return []
    # The exit code is ignored: a container may be removed since the listing, and inspect still prints the others.
    told = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=False).stdout
    return sorted(map(_container, json.loads(told or "[]")), key=lambda each: (each.service, each.number))


def only(service: str) -> Container:
    """Return the container of a single-instance service. Raise Exit if it does not run."""
    for container in containers(service):
        return container
    raise Exit(f"{service} does not run: inv prod.up starts the stack", code=1)


def show_log(container: Container) -> None:
    """Print the last LINES_SHOWN lines of a container's log."""
    told = subprocess.run(
        ["docker", "logs", "--tail", str(LINES_SHOWN), container.id],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    ).stdout  # fmt: skip
    for line in told.splitlines():
        shell.note(f"{container.name} | {line}")


def _container(inspected: dict[str, Any]) -> Container:
    labels, state = inspected["Config"]["Labels"], inspected["State"]
    return Container(
        id=inspected["Id"],
        service=labels["com.docker.compose.service"],
        number=int(labels["com.docker.compose.container-number"]),
        state=state["Status"],
        exit_code=state["ExitCode"],
        restarts=inspected["RestartCount"],
        health=state.get("Health", {}).get("Status", ""),
        image=inspected["Image"],
        configured=labels["com.docker.compose.config-hash"],
        addresses={
            name.removeprefix(f"{PROJECT}_"): network["IPAddress"]
            for name, network in inspected["NetworkSettings"]["Networks"].items()
        },
        version=labels.get("org.opencontainers.image.version", ""),
        started=state["StartedAt"],
        mounts={each["Destination"]: each["Source"] for each in inspected["Mounts"] if each["Type"] == "bind"},
    )
