"""What Flask reads: the settings class of production, filled from the environment that the configuration makes."""

import json
import sys

from ops import shell
from ops.configuration import Configuration
from ops.parity.facts import Facts

PRINT_SETTINGS = """
import json
from app.config import InvalidConfiguration, load
from pydantic import SecretStr

try:
    settings = dict(load("production"))
except InvalidConfiguration as invalid:
    raise SystemExit(f"app/config.py: {invalid}")
print(json.dumps({name: None if isinstance(value, SecretStr) else value for name, value in settings.items()}))
"""
STAND_IN = "in the place of a value that nobody needs"


def facts(settings: Configuration) -> Facts:
    """Raises Exit with what the class does not take."""
    given = settings.environment | dict.fromkeys(settings.document["secrets"], STAND_IN)
    read = json.loads(shell.read([sys.executable, "-c", PRINT_SETTINGS], given))
    return {
        f"web/secrets/{name}" if value is None else f"web/environment/{name}": name if value is None else _text(value)
        for name, value in read.items()
    }


def _text(value: object) -> str:
    """As an environment holds it."""
    return str(int(value)) if isinstance(value, bool) else str(value)
