"""Tasks `inv config.…` for the configuration files: check, show, schema."""

import json
import sys
from dataclasses import asdict

from invoke.context import Context
from invoke.tasks import task

from groundwork import contract
from groundwork.configuration import loader, schema
from groundwork.system import paths, shell, table

PRINT_CLASSES = "import importlib, json, sys; print(json.dumps(importlib.import_module(sys.argv[1]).json_schemas()))"


@task
def check(_: Context) -> None:
    """Validate config/*.json and report every problem.

    Example: inv config.check
    """
    if problems := loader.find_problems():
        raise loader.InvalidConfiguration(problems)
    shell.say(f"{', '.join(loader.names())}: no problem found")


@task(help={"name": "name of the configuration; by default APPLICATION_CONFIG, else development"})
def show(_: Context, name: str = "") -> None:
    """Print every setting with its source.

    It shows the effective values, and secrets as ***.

    Example: inv config.show --name production
    """
    effective = loader.load(name or None, missing_secrets="show")
    rows = [
        (key, "***" if value.secret else value.text, value.source) for key, value in sorted(effective.values.items())
    ]
    images = asdict(effective.images).items()
    rows += [(f"images/{key}", image, f"config/{effective.name}.json") for key, image in images if image]
    budget = str(effective.migrations.longest_blocked_ms)
    rows.append(("migrations/longest_blocked_ms", budget, f"config/{effective.name}.json"))
    table.show(rows)


@task(name="schema")
def write_schema(_: Context) -> None:
    """Generate config/schema.json from the classes.

    Then it validates the files against the schema.

    Example: inv config.schema
    """
    schema.PATH.write_text(generate_schema(), "utf-8")
    shell.say(f"wrote {paths.display(schema.PATH)}")
    check(_)


def generate_schema() -> str:
    """Return the expected content of config/schema.json."""
    classes = json.loads(shell.read([sys.executable, "-c", PRINT_CLASSES, contract.PROJECT.configuration]))
    return schema.to_text(schema.build(**classes)) + "\n"
