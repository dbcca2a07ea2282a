"""`inv config.…`: the configuration files, looked at and checked."""

import json
import sys

from invoke.context import Context
from invoke.tasks import task

from ops import configuration, project, schema, shell, table

PRINT_CLASSES = "import json, app.config; print(json.dumps(app.config.json_schemas()))"


@task
def check(_: Context) -> None:
    """Report every problem in config/*.json.

    Example: inv config.check
    """
    if problems := configuration.find_problems():
        raise configuration.InvalidConfiguration(problems)
    shell.say(f"{', '.join(configuration.names())}: no problem found")


@task(help={"name": "which configuration; by default the one that APPLICATION_CONFIG names, else development"})
def show(_: Context, name: str = "") -> None:
    """Print every setting and where it comes from.

    The values as they are in effect; secrets as ***.

    Example: inv config.show --name production
    """
    effective = configuration.load(name or None, missing_secrets="show")
    rows = [
        (key, "***" if value.secret else value.text, value.source) for key, value in sorted(effective.values.items())
    ]
    rows += [(f"images/{key}", image, f"config/{effective.name}.json") for key, image in effective.images.items()]
    budget = str(effective.longest_blocked_ms)
    rows.append(("migrations/longest_blocked_ms", budget, f"config/{effective.name}.json"))
    table.show(rows)


@task(name="schema")
def write_schema(_: Context) -> None:
    """Write config/schema.json from app/config.py.

    And check the files by it.

    Example: inv config.schema
    """
    schema.PATH.write_text(described(), "utf-8")
    shell.say(f"wrote {project.shown(schema.PATH)}")
    check(_)


def described() -> str:
    """What config/schema.json should hold."""
    classes = json.loads(shell.read([sys.executable, "-c", PRINT_CLASSES]))
    return json.dumps(schema.build(**classes), indent=2, ensure_ascii=False) + "\n"
