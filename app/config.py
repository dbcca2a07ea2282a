"""Settings of this service: those of every service, and its own. A new one stands in the class that needs it."""

from pathlib import Path
from typing import Any, ClassVar

from groundwork.flask import config
from groundwork.flask.config import SECRET_FILES, InvalidConfiguration

__all__ = ["CONFIGS", "NAME", "InvalidConfiguration", "json_schemas", "load"]


NAME = "groundwork"
"""Name of the service in PostgreSQL sessions and traces, and on its pages."""


class Config(config.Config):
    """Settings of all environments; subclasses define the differences."""

    service: ClassVar[str] = NAME


class ProductionConfig(config.ProductionConfig, Config):
    """Production settings, including those of compose/gunicorn.conf.py; times are in seconds."""


class DevelopmentConfig(config.DevelopmentConfig, Config):
    pass


class TestingConfig(config.TestingConfig, Config):
    pass


CONFIGS: dict[str, type[Config]] = {
    "production": ProductionConfig,
    "development": DevelopmentConfig,
    "testing": TestingConfig,
}


def load(config_name: str, secret_files: Path = SECRET_FILES) -> Config:
    """Load the class called `config_name`; raise InvalidConfiguration with every problem."""
    return config.load(CONFIGS, config_name, secret_files)


def json_schemas() -> dict[str, Any]:
    return config.json_schemas(Config, CONFIGS)
