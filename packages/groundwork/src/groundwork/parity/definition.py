"""Settings from an ECS task definition, planned by Terraform or registered with ECS."""

import re
from collections.abc import Mapping
from typing import Any

from groundwork.parity.settings import Settings, text

HEALTH = {"interval": "interval_s", "timeout": "timeout_s", "retries": "retries", "startPeriod": "start_period_s"}
CPU_UNITS = 1024
SECRET_NAME = re.compile(r":secret:[^:]*?([A-Z][A-Z_]+)(?:-\w{6})?$")
"""The name of a configured secret in its ARN. Secrets Manager appends a dash and six characters."""


def read(containers: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Return the settings of container definitions, by container name; the defaults of ECS for omitted fields."""
    return {
        f"{name}/{setting}": value for name, each in containers.items() for setting, value in _container(each).items()
    }


def _container(container: Mapping[str, Any]) -> Settings:
    linux = container.get("linuxParameters") or {}
    return {
        **{f"environment/{each['name']}": each["value"] for each in container.get("environment") or ()},
        **{f"secrets/{each['name']}": _secret(each["valueFrom"]) for each in container.get("secrets") or ()},
        **(_health(container["healthCheck"]) if container.get("healthCheck") else {}),
        "cpus": text(round(container.get("cpu", 0) / CPU_UNITS, 2)),  # 0.3 CPUs are 307 units
        "memory_mb": text(container.get("memory")),
        "stop_grace_s": text(container.get("stopTimeout")),
        "user": container.get("user") or "",
        "read_only_root": text(container.get("readonlyRootFilesystem", False)),
        "capabilities_dropped": text((linux.get("capabilities") or {}).get("drop", [])),
        "init": text(linux.get("initProcessEnabled", False)),
        "command": text(container.get("command") or None),
        "writes_to": text(sorted(_writable_paths(container))),
    }


def _writable_paths(container: Mapping[str, Any]) -> list[str]:
    return [each["containerPath"] for each in container.get("mountPoints") or () if not each.get("readOnly")]


def _secret(arn: str) -> str:
    """Return the configured name of a secret; its ARN if the configuration does not have it."""
    match = SECRET_NAME.search(arn)
    return match[1] if match else arn


def _health(check: Mapping[str, Any]) -> Settings:
    *command, path = check["command"][1:]
    return {
        "health/command": text(command),
        "health/path": path,
        **{f"health/{name}": text(check[key]) for key, name in HEALTH.items() if key in check},
    }
