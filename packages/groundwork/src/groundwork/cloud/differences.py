"""Differences between two ECS task definitions, by name and value."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from groundwork.cloud import service
from groundwork.cloud.service import Described

NOTHING = "–"
OF_THE_TASK = ("cpu", "memory", "networkMode", "taskRoleArn", "executionRoleArn")
BY_NAME = {"environment": "value", "secrets": "valueFrom"}
Row = tuple[str, str, str]


def between(runs: Described, would: Described) -> list[Row]:
    """Return rows of name, running value and planned value. Secrets appear by ARN, never by value."""
    found = _rows("", _task(runs), _task(would))
    sides = service.containers(runs), service.containers(would)
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        found = chain(found, _container(f"{name}/", *(side.get(name, {}) for side in sides)))
    return list(found)


def _container(prefix: str, runs: Mapping[str, Any], would: Mapping[str, Any]) -> Iterator[Row]:
    for section, value in BY_NAME.items():
        named = ({each["name"]: each[value] for each in side.get(section) or []} for side in (runs, would))
        yield from _rows(f"{prefix}{section}/", *named)
    others = ({name: value for name, value in side.items() if name not in BY_NAME} for side in (runs, would))
    yield from _rows(prefix, *map(_flat, others))


def _rows(prefix: str, runs: Mapping[str, Any], would: Mapping[str, Any]) -> Iterator[Row]:
    for name in sorted({*runs, *would}):
        if runs.get(name) != would.get(name):
            yield f"{prefix}{name}", _shown(runs.get(name)), _shown(would.get(name))


def _task(definition: Described) -> dict[str, Any]:
    return {name: str(definition[name]) for name in OF_THE_TASK if definition.get(name)}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Map each path to its value. Omit empty values, because ECS adds them for omitted settings."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}/")
        elif value not in (None, [], "", False) or (isinstance(value, int) and value):
            found[f"{prefix}{name}"] = value
    return found


def _shown(value: Any) -> str:
    return NOTHING if value is None else str(value)
