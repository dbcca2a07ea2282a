"""The production stack of this checkout: what `docker compose` is told about it, and what the engine says of it."""

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke.exceptions import Exit

from ops import certificate, configuration, engine, project, schema, sections, shell
from ops.compose import POSTGRES_PORT
from ops.configuration import Configuration

PROJECT = f"{project.compose_project()}-production"
FRONT = f"{PROJECT}_front"
SERVING = "serving"
"""The name of all replicas that are ready, on the network of the proxy."""
LINES_SHOWN = 80
IMAGE = f"{PROJECT}-web"
RELEASED = f"{IMAGE}:released"
"""The image that serves."""
PSQL = ("psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--username", "postgres", "-At")
"""As the superuser, by the socket in the container, for programs to read."""


@dataclass(frozen=True)
class Container:
    """As the engine has it."""

    id: str
    service: str
    number: int
    state: str
    exit_code: int
    health: str
    """Empty where nothing checks it."""
    image: str
    """Its id."""
    configured: str
    """Compose's hash of what it was made from."""
    addresses: dict[str, str]
    """By network."""
    version: str
    started: str

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"

    @property
    def has_failed(self) -> bool:
        """Or is not what it should be yet."""
        return self.health not in ("", "healthy") or self.exit_code != 0


def known() -> Configuration:
    """Production's configuration, but for secrets that are not there yet.

    Raises InvalidConfiguration, which finds placeholders too, and Exit, in a line with the remedy, where containers
    cannot be used here.
    """
    settings = inside(configuration.load("production", missing_secrets="show"))
    try:
        with ThreadPoolExecutor() as pool:
            compose = pool.submit(engine.require_compose)
            engine.require(settings.images["postgres"], settings.images["nginx"])
            compose.result()
    except engine.NoEngine as reason:
        remedy = "install Docker Engine with Compose (https://docs.docker.com/engine/install), or start it"
        raise Exit(f"the production stack needs a Docker Engine, and {reason}: {remedy}", code=1) from None
    return settings


def load() -> Configuration:
    """The same, with random secrets, and a certificate that signs itself, where there are none yet."""
    settings = known()
    if has_tls(settings) and not settings[sections.CERTIFICATE] + settings[sections.KEY]:
        certificate.make(secrets_folder(), settings.images["nginx"])
    return inside(configuration.load("production", missing_secrets="generate"))


def inside(settings: Configuration) -> Configuration:
    """Whatever a variable says that is development's."""
    return settings.changed("the network of the stack", POSTGRES_HOST="db", POSTGRES_PORT=POSTGRES_PORT)


def command(settings: Configuration, *arguments: str) -> list[str]:
    files = ["compose/production.yml", *(["compose/production-tls.yml"] if has_tls(settings) else []), "-"]
    return [
        *("docker", "compose", "--project-name", PROJECT, "--progress", "quiet"),
        *(part for file in files for part in ("--file", file)),
        *arguments,
    ]


def has_tls(settings: Configuration) -> bool:
    return "tls_port" in settings.document["proxy"]


def url(settings: Configuration) -> str:
    """Of the page, on this machine."""
    scheme, port = ("https", "PROXY_TLS_PORT") if has_tls(settings) else ("http", "PROXY_PORT")
    return f"{scheme}://localhost:{variables(settings)[port]}"


def run(settings: Configuration, *arguments: str, image: str = RELEASED) -> None:
    """With that image of the service. Raises Exit with Compose's own code."""
    shell.run(command(settings, *arguments), variables(settings, image), stdin=environments(settings))


def environments(settings: Configuration) -> str:
    """A Compose file, for standard input, that gives the service its settings and health check; secrets are files."""
    names = set(schema.settings("production"))
    given = {name: value.replace("$", "$$") for name, value in settings.environment.items() if name in names}
    given = {name: value for name, value in given.items() if name not in settings.document["secrets"]}
    migrating = {**given, "POSTGRES_USER": settings.document["migrations"]["role"]}
    health = settings.document["containers"]["web"]["health"]
    check = {
        "test": ["CMD", *(part.replace("$", "$$") for part in health["command"])],
        "interval": f"{health['interval_s']}s",
        "timeout": f"{health['timeout_s']}s",
        "retries": health["retries"],
        "start_period": f"{health['start_period_s']}s",
    }
    web = {"environment": given, "healthcheck": check}
    return json.dumps({"services": {"web": web, "migrate": {"environment": migrating}}})


def variables(settings: Configuration, image: str = RELEASED) -> dict[str, str]:
    """What the Compose file itself refers to: WEB_CPUS is containers/web/cpus, and a variable of that name wins."""
    described = (*settings.document["containers"].items(), ("proxy", settings.document["proxy"]))
    values = {
        f"{name}_{key}".upper(): str(value)
        for name, section in described
        for key, value in section.items()
        if not isinstance(value, dict)
    }
    return {
        **{name: os.environ.get(name, value) for name, value in values.items()},
        "POSTGRES_IMAGE": settings.images["postgres"],
        "NGINX_IMAGE": settings.images["nginx"],
        "WEB_IMAGE": image,
        "PROXY_CONFIGURATION": _hash_of_nginx(),
        "RUN_AS": user(settings),
        "SECRETS": str(secrets_folder()),
    }


def _hash_of_nginx() -> str:
    """Compose sees that a file is mounted, and not that it has changed."""
    import hashlib

    files = sorted((project.ROOT / "compose" / "nginx").iterdir())
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def user(settings: Configuration) -> str:
    """Who runs the service in its containers, and owns its secrets: the caller, unless that is root.

    On Windows, callers have no number; there the engine lets everybody read what is mounted.
    """
    is_ordinary = hasattr(os, "getuid") and os.getuid() != 0
    return engine.user() if is_ordinary else str(settings.document["containers"]["web"]["user"])


def secrets_folder() -> Path:
    return project.LOCAL / "secrets" / "production"


def write_secrets(settings: Configuration) -> None:
    """Each as a file that only its owner reads: Compose mounts it, and who runs the service there must be its owner."""
    folder = secrets_folder()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in settings.document["secrets"]:
        path = folder / name
        if not path.exists() or path.read_text("utf-8").strip() != settings[name]:
            path.touch(mode=0o600)
            path.write_text(settings[name], "utf-8")
        path.chmod(0o600)
        if hasattr(os, "getuid") and os.getuid() == 0:
            os.chown(path, *map(int, user(settings).split(":")))


def give_roles(settings: Configuration) -> None:
    """Make the database and its two roles what they should be, with the passwords that the secrets hold now."""
    values = {
        "database": settings["APPLICATION_DB"],
        "app": settings["POSTGRES_USER"],
        "app_password": settings["POSTGRES_PASSWORD"],
        "migrator": settings.document["migrations"]["role"],
        "migrator_password": settings["MIGRATOR_PASSWORD"],
    }
    script = [f"\\set {name} {_quoted(value)}" for name, value in values.items()]
    script.append((project.ROOT / "compose" / "postgres" / "roles.sql").read_text("utf-8"))
    _psql(f"{PROJECT}-db-1", "postgres", "\n".join(script))


def token(replica: str, email: str) -> str:
    """Of somebody new of the staff, good for a day."""
    commands = f"flask --app wsgi register-staff {email} Load >&2 && flask --app wsgi issue-token {email}"
    return shell.read(["docker", "exec", replica, "sh", "-c", commands]).strip()


def sql(database: str, script: str) -> str:
    """What PostgreSQL answers. Raises Exit with what it says where it refuses."""
    return _psql(only("db").id, database, script)


def _psql(container: str, database: str, script: str) -> str:
    # By standard input: what stands in a command line, everybody on the machine can read.
    return shell.read(["docker", "exec", "--interactive", container, *PSQL, database], stdin=script)


def is_current(settings: Configuration, image: str, replicas: Sequence[Container]) -> bool:
    """Whether they are what Compose would make of this configuration and image."""
    asked = command(settings, "config", "--hash", "web")
    told = shell.read(asked, variables(settings, image), stdin=environments(settings))
    return {each.configured for each in replicas} == {told.split()[1]}


def containers(service: str = "", *, all_states: bool = False) -> list[Container]:
    """Those that run, by service and number; with `all_states` those too that do not."""
    listing = ["docker", "ps", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}"]
    listing += ["--filter", "label=com.docker.compose.oneoff=False"]
    listing += ["--all"] if all_states else []
    listing += ["--filter", f"label=com.docker.compose.service={service}"] if service else []
    ids = shell.read(listing).split()
    if not ids:
        return []
    # One that goes in between is not there any more: the others are told of all the same.
    told = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=False).stdout
    return sorted(map(_container, json.loads(told or "[]")), key=lambda each: (each.service, each.number))


def only(service: str) -> Container:
    """Raises Exit where it does not run."""
    for container in containers(service):
        return container
    raise Exit(f"{service} does not run: inv prod.up starts the stack", code=1)


def show_log(container: Container) -> None:
    """The end of it."""
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
        health=state.get("Health", {}).get("Status", ""),
        image=inspected["Image"],
        configured=labels["com.docker.compose.config-hash"],
        addresses={
            name.removeprefix(f"{PROJECT}_"): network["IPAddress"]
            for name, network in inspected["NetworkSettings"]["Networks"].items()
        },
        version=labels.get("org.opencontainers.image.version", ""),
        started=state["StartedAt"],
    )


def _quoted(value: str) -> str:
    r"""As psql's `\set` reads it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
