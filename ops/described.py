"""The pages of the documentation that are made from what they describe; `inv docs.write` writes them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ops import project, schema

DOCS = project.ROOT / "docs"
Schema = dict[str, Any]
KINDS = {"integer": "whole number", "string": "text", "boolean": "`true` or `false`", "array": "list"}

CONFIGURATION = """# Configuration reference

What may stand in `config/*.json`, made from `config/schema.json` by `inv docs.write`. [Configuration](configuration.md)
says how to use it. A name in bold is needed in its section. `inv config.show` prints what is in force, and where each
value comes from.
"""

DECISIONS = """# Decisions

What was chosen, against what, and why: a page each, numbered as they were made. `inv docs.write` writes the list.
"""


def pages() -> dict[Path, str]:
    """What they should hold."""
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
            only = {kind: set(_forbidden(then, name)) for kind, then in kinds.items()}
            needed = set.intersection(*(_needed(then, name) for then in kinds.values()))
            yield from _section(f"## {name}", section, only, needed)


def _section(title: str, section: Schema, forbidden: dict[str, set[str]], needed: set[str]) -> Iterator[str]:
    yield from (title, "", f"{section['description']}.", "")
    values = {name: value for name, value in section["properties"].items() if "properties" not in value}
    if values:
        yield from ("| Name | Value | Default | What it is |", "|---|---|---|---|")
    for name, value in values.items():
        shown = f"**`{name}`**" if name in {*section.get("required", ()), *needed} else f"`{name}`"
        default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
        yield f"| {shown} | {_kind(value)} | {default} | {_sentence(name, value, forbidden)} |"
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


def _sentence(name: str, value: Schema, forbidden: dict[str, set[str]]) -> str:
    refused = {kind for kind, names in forbidden.items() if name in names}
    kinds = " and ".join(sorted(set(forbidden) - refused))
    said = value.get("description", "").rstrip(".").replace("|", "\\|")
    only = f"In {kinds} only" if refused else ""
    return ". ".join(part for part in (said, only) if part) + ("." if said or only else "")


def _forbidden(then: Schema, section: str) -> Iterator[str]:
    for name, rule in then.get("properties", {}).get(section, {}).get("properties", {}).items():
        if rule == schema.FORBIDDEN:
            yield name


def _needed(then: Schema, section: str) -> set[str]:
    return set(then.get("properties", {}).get(section, {}).get("required", ()))
