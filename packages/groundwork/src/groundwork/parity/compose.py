"""Settings from `docker compose config` on compose/production.yml. This needs the command, but no engine."""

import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from groundwork.configuration.loader import Configuration
from groundwork.parity.settings import CONTAINERS, Settings, Unavailable, seconds, text
from groundwork.postgresql.compose import inside
from groundwork.production import stack
from groundwork.system import docker, shell
from groundwork.system.errors import Exit

HEALTH = {"interval": "interval_s", "timeout": "timeout_s", "start_period": "start_period_s"}
MIB = 1024**2


def read(configuration: Configuration) -> Settings:
    """Return the settings of web, proxy and migrate. Raises Unavailable, or Exit with the error of Compose."""
    try:
        stack.require_file()
        docker.require_compose()
    except (Exit, docker.NoEngine) as reason:
        raise Unavailable(str(reason)) from None
    settings = inside(configuration)
    command = stack.command(settings, "config", "--format", "json")
    project = json.loads(shell.read(command, stack.variables(settings), stdin=stack.environments(settings)))
    files = {name: PurePath(each["file"]).name for name, each in project["secrets"].items()}
    return {
        f"{name}/{setting}": value
        for name in CONTAINERS
        for setting, value in _container(project["services"][name], files).items()
    }


def _container(service: dict[str, Any], files: dict[str, str]) -> Settings:
    return {
        **{f"environment/{name}": value for name, value in service.get("environment", {}).items()},
        **{f"secrets/{each['target']}": files[each["source"]] for each in service.get("secrets", [])},
        **(_health(service["healthcheck"]) if "healthcheck" in service else {}),
        "cpus": text(service["cpus"]),
        "memory_mb": text(int(service["mem_limit"]) / MIB),
        "stop_grace_s": seconds(service["stop_grace_period"]),
        "user": service["user"],
        "read_only_root": text(service.get("read_only", False)),
        "capabilities_dropped": text(service.get("cap_drop", [])),
        "init": text(service.get("init", False)),
        "command": text(service.get("command") or None),
        "writes_to": text(sorted(_writable_paths(service))),
    }


def _writable_paths(service: dict[str, Any]) -> Iterator[str]:
    yield from (each.partition(":")[0] for each in service.get("tmpfs", []))
    yield from (each["target"] for each in service.get("volumes", []) if not each.get("read_only"))


def _health(check: dict[str, Any]) -> Settings:
    *command, path = check["test"][1:]
    return {
        "health/command": text(command),
        "health/path": path,
        "health/retries": text(check["retries"]),
        **{f"health/{name}": seconds(check[key]) for key, name in HEALTH.items()},
    }
