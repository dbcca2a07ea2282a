"""Settings that Flask reads: the project's class for production, filled from the configured environment."""

import json
import sys

from groundwork import contract
from groundwork.configuration.loader import Configuration
from groundwork.parity.settings import Settings
from groundwork.system import shell

PRINT_SETTINGS = """
import importlib, json, sys
from pydantic import SecretStr

configuration = importlib.import_module(sys.argv[1])

try:
    settings = dict(configuration.load("production"))
except configuration.InvalidConfiguration as invalid:
    raise SystemExit(f"{sys.argv[1]}: {invalid}")
print(json.dumps({name: None if isinstance(value, SecretStr) else value for name, value in settings.items()}))
"""
PLACEHOLDER = "a value for secrets, which are not compared"


def read(configuration: Configuration) -> Settings:
    """Return the settings of web. Raises Exit with the validation errors of the class."""
    environment = configuration.environment | dict.fromkeys(configuration.secrets, PLACEHOLDER)
    command = [sys.executable, "-c", PRINT_SETTINGS, contract.PROJECT.configuration]
    settings = json.loads(shell.read(command, environment))
    return {
        f"web/secrets/{name}" if value is None else f"web/environment/{name}": name if value is None else _text(value)
        for name, value in settings.items()
    }


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
