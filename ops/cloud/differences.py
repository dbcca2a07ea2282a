"""Where one task definition differs from another, by name and value."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.cloud import service
from ops.cloud.service import Described

NOTHING = "–"
OF_THE_TASK = ("cpu", "memory", "networkMode", "taskRoleArn", "executionRoleArn")
BY_NAME = {"environment": "value", "secrets": "valueFrom"}
Row = tuple[str, str, str]


def between(runs: Described, would: Described) -> list[Row]:
    """Name, what runs, what would; a secret is its address, which tells nothing of its value."""
    return [*_rows("", _task(runs), _task(would)), *_containers(service.container(runs), service.container(would))]


def _containers(runs: Mapping[str, Any], would: Mapping[str, Any]) -> Iterator[Row]:
    for section, value in BY_NAME.items():
        named = ({each["name"]: each[value] for each in side.get(section) or []} for side in (runs, would))
        yield from _rows(f"{section}/", *named)
    others = ({name: value for name, value in side.items() if name not in BY_NAME} for side in (runs, would))
    yield from _rows("", *map(_flat, others))


def _rows(prefix: str, runs: Mapping[str, Any], would: Mapping[str, Any]) -> Iterator[Row]:
    for name in sorted({*runs, *would}):
        if runs.get(name) != would.get(name):
            yield f"{prefix}{name}", _shown(runs.get(name)), _shown(would.get(name))


def _task(definition: Described) -> dict[str, Any]:
    return {name: str(definition[name]) for name in OF_THE_TASK if definition.get(name)}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Each value under its path, without those that are empty: ECS fills in what was left out."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}/")
        elif value not in (None, [], "", False) or (isinstance(value, int) and value):
            found[f"{prefix}{name}"] = value
    return found


def _shown(value: Any) -> str:
    return NOTHING if value is None else str(value)
