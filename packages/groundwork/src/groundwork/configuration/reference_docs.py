"""Generator of the reference pages in docs/; `inv docs.write` writes them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from groundwork.configuration import schema
from groundwork.system import paths

DOCS = paths.ROOT / "docs"
Schema = dict[str, Any]
KINDS = {"integer": "whole number", "string": "text", "boolean": "`true` or `false`", "array": "list"}

CONFIGURATION = """# Configuration reference

All settings of `config/*.json`. `inv docs.write` generates this page from `config/schema.json`.
[Configuration](configuration.md) explains their use. Names in bold are required in their section. `inv config.show`
prints the effective values and their sources.
"""

DECISIONS = """# Decisions

One page for each decision, with the alternatives and the reasons, in order of time. `inv docs.write` writes the list.
"""


def pages() -> dict[Path, str]:
    """Return the expected content of each page."""
    return {
        DOCS / "configuration-reference.md": "\n".join([CONFIGURATION, *_configuration()]),
        DOCS / "decisions" / "README.md": "\n".join([DECISIONS, *_decisions(), ""]),
    }


def _decisions() -> Iterator[str]:
    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        number, _, title = path.read_text("utf-8").splitlines()[0].removeprefix("# ").partition(". ")
        yield f"{number}. [{title}]({path.name})"


def _configuration() -> Iterator[str]:
    document = json.loads(schema.PATH.read_text("utf-8"))
    kinds = {
        rule["if"]["properties"]["environment"]["properties"]["FLASK_CONFIG"]["const"]: rule["then"]
        for rule in document["allOf"]
    }
    for name, section in document["properties"].items():
        if name == "secrets":
            yield from _secrets(section)
        elif "properties" in section:
            forbidden = {kind: set(_forbidden(then, name)) for kind, then in kinds.items()}
            required = set.intersection(*(_required(then, name) for then in kinds.values()))
            yield from _section(f"## {name}", section, forbidden, required)


def _section(title: str, section: Schema, forbidden: dict[str, set[str]], required: set[str]) -> Iterator[str]:
    yield from (title, "", f"{section['description']}.", "")
    values = {name: value for name, value in section["properties"].items() if "properties" not in value}
    if values:
        yield from ("| Name | Value | Default | Description |", "|---|---|---|---|")
    for name, value in values.items():
        label = f"**`{name}`**" if name in {*section.get("required", ()), *required} else f"`{name}`"
        default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
        yield f"| {label} | {_kind(value)} | {default} | {_description(name, value, forbidden)} |"
    if values:
        yield ""
    for name, part in section["properties"].items():
        if "properties" in part:
            yield from _section(f"### {title.lstrip('# ')}/{name}", part, {}, set())


def _secrets(section: Schema) -> Iterator[str]:
    names = ", ".join(f"`{name}`" for name in section["items"]["enum"])
    yield from ("## secrets", "", f"{section['description']}: {names}.", "")


def _kind(value: Schema) -> str:
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    least, most = value.get("minimum"), value.get("maximum")
    kind = KINDS.get(value["type"], str(value["type"]))
    if least is not None and most is not None:
        return f"{kind}, {least} to {most}"
    return f"{kind}, at least {least}" if least is not None else kind


def _description(name: str, value: Schema, forbidden: dict[str, set[str]]) -> str:
    excluded = {kind for kind, names in forbidden.items() if name in names}
    kinds = " and ".join(sorted(set(forbidden) - excluded))
    description = value.get("description", "").rstrip(".").replace("|", "\\|")
    only = f"In {kinds} only" if excluded else ""
    return ". ".join(part for part in (description, only) if part) + ("." if description or only else "")


def _forbidden(then: Schema, section: str) -> Iterator[str]:
    for name, rule in then.get("properties", {}).get(section, {}).get("properties", {}).items():
        if rule == schema.FORBIDDEN:
            yield name


def _required(then: Schema, section: str) -> set[str]:
    return set(then.get("properties", {}).get(section, {}).get("required", ()))
