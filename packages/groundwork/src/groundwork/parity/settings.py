"""Common form of container settings, to compare sources: `web/environment/METRICS_PORT` is "9000"."""

import json
import re

Settings = dict[str, str]
"""Values by address. The value of a secret is its name in the configuration."""

TASKS = {"web": ("web", "proxy"), "migrate": ("migrate",)}
"""Containers by the ECS task that they run in."""
CONTAINERS = tuple(name for names in TASKS.values() for name in names)
SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}


class Unavailable(Exception):
    """A source cannot be read on this machine. The message gives the reason."""


def text(value: object) -> str:
    """Return one text for equal values of different notations: 1 and 1.0, true and True."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def seconds(duration: str) -> str:
    """Return the seconds of a duration in the notation of Compose, such as 1m30s."""
    return text(sum(float(number) * SECONDS[unit] for number, unit in re.findall(r"([\d.]+)(ms|[hms])", duration)))
