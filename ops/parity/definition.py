"""What the containers of an ECS task definition get, planned by Terraform or registered."""

import re
from collections.abc import Mapping
from typing import Any

from ops.parity.facts import Facts, text

HEALTH = {"interval": "interval_s", "timeout": "timeout_s", "retries": "retries", "startPeriod": "start_period_s"}
CPU_UNITS = 1024
NAMED = re.compile(r":secret:[^:]*?([A-Z][A-Z_]+)(?:-\w{6})?$")
"""Of the secrets in the configuration. Secrets Manager adds a dash and six letters of its own."""


def facts(containers: Mapping[str, Mapping[str, Any]]) -> Facts:
    """Of container definitions, by their names. What one leaves out is what ECS takes for it."""
    return {
        f"{name}/{place}": value for name, container in containers.items() for place, value in _facts(container).items()
    }


def _facts(container: Mapping[str, Any]) -> Facts:
    linux = container.get("linuxParameters") or {}
    return {
        **{f"environment/{each['name']}": each["value"] for each in container.get("environment") or ()},
        **{f"secrets/{each['name']}": _secret(each["valueFrom"]) for each in container.get("secrets") or ()},
        **(_health(container["healthCheck"]) if container.get("healthCheck") else {}),
        "cpus": text(round(container.get("cpu", 0) / CPU_UNITS, 2)),  # 0.3 is 307 of them
        "memory_mb": text(container.get("memory")),
        "stop_grace_s": text(container.get("stopTimeout")),
        "user": container.get("user") or "",
        "read_only_root": text(container.get("readonlyRootFilesystem", False)),
        "capabilities_dropped": text((linux.get("capabilities") or {}).get("drop", [])),
        "init": text(linux.get("initProcessEnabled", False)),
        "command": text(container.get("command") or None),
        "writes_to": text(sorted(_written(container))),
    }


def _written(container: Mapping[str, Any]) -> list[str]:
    return [each["containerPath"] for each in container.get("mountPoints") or () if not each.get("readOnly")]


def _secret(arn: str) -> str:
    """What the configuration calls it; its address where it is none of the configuration's."""
    named = NAMED.search(arn)
    return named[1] if named else arn


def _health(check: Mapping[str, Any]) -> Facts:
    return {
        "health/command": text(check["command"][1:]),
        **{f"health/{name}": text(check[key]) for key, name in HEALTH.items() if key in check},
    }
