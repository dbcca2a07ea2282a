"""What `docker compose` makes of compose/production.yml. It needs no engine for that, only the command."""

import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from ops import engine, shell, stack
from ops.configuration import Configuration
from ops.parity.facts import CONTAINERS, Facts, NotToBeHad, seconds, text

HEALTH = {"interval": "interval_s", "timeout": "timeout_s", "start_period": "start_period_s"}
MIB = 1024**2


def facts(settings: Configuration) -> Facts:
    """Raises NotToBeHad, or Exit with what Compose does not take."""
    try:
        engine.require_compose()
    except engine.NoEngine as reason:
        raise NotToBeHad(str(reason)) from None
    inside = stack.inside(settings)
    asked = stack.command(inside, "config", "--format", "json")
    project = json.loads(shell.read(asked, stack.variables(inside), stdin=stack.environments(inside)))
    files = {name: PurePath(each["file"]).name for name, each in project["secrets"].items()}
    return {
        f"{name}/{place}": value
        for name in CONTAINERS
        for place, value in _container(project["services"][name], files).items()
    }


def _container(service: dict[str, Any], files: dict[str, str]) -> Facts:
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
        "command": text(service.get("command")),
        "writes_to": text(sorted(_written(service))),
    }


def _written(service: dict[str, Any]) -> Iterator[str]:
    yield from (each.partition(":")[0] for each in service.get("tmpfs", []))
    yield from (each["target"] for each in service.get("volumes", []) if not each.get("read_only"))


def _health(check: dict[str, Any]) -> Facts:
    return {
        "health/command": text(check["test"][1:]),
        "health/retries": text(check["retries"]),
        **{f"health/{name}": seconds(check[key]) for key, name in HEALTH.items()},
    }
