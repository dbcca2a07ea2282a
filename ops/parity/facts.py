"""What a container of the service gets, as every place can tell it: `web/environment/METRICS_PORT` is "9000"."""

import json
import re

Facts = dict[str, str]
"""By their address. A secret's is the name that the configuration has for it."""

CONTAINERS = ("web", "migrate")
SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}


class NotToBeHad(Exception):
    """A place that cannot be asked here; says why."""


def text(value: object) -> str:
    """The same for the same value, whoever writes it: 1 and 1.0, true and True."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def seconds(duration: str) -> str:
    """Of one as Compose writes it: 1m30s."""
    return text(sum(float(number) * SECONDS[unit] for number, unit in re.findall(r"([\d.]+)(ms|[hms])", duration)))
