"""Protection of production in `inv db`: confirmation of destructive tasks, or the development server instead."""

from collections.abc import Iterator
from contextlib import contextmanager

from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import database
from groundwork.system import shell
from groundwork.system.errors import Exit

CONFIRM_HELP = "the name of the database, to confirm; required in production"


@contextmanager
def configured_database() -> Iterator[Configuration]:
    """Yield the configuration of the configured database, with its server running."""
    with shell.interruptible(), database.available(loader.load()) as found:
        yield found.configuration


@contextmanager
def database_outside_production() -> Iterator[Configuration]:
    """Yield as `configured_database`; in production, yield the development server, to leave production untouched."""
    configured = loader.load(missing_secrets="show")
    if not database.is_production(configured):
        with configured_database() as settings:
            yield settings
        return
    shell.note(f"using the development server instead of {configured.name}")
    development = loader.load("development", environ={})  # the environment may have the variables of production
    with shell.interruptible(), database.available(development) as found:
        yield found.configuration


@contextmanager
def confirmed_database(action: str, confirmed: str) -> Iterator[Configuration]:
    """Yield the configured database for a destructive task. Raises Exit in production without the confirmation."""
    require_confirmation(action, confirmed)
    with configured_database() as settings:
        database.connect_or_create(settings).close()
        yield settings


def require_development(action: str) -> None:
    """Raise Exit in production, with what the task would have done."""
    settings = loader.load(missing_secrets="show")
    if database.is_production(settings):
        raise Exit(f"{action} {settings['APPLICATION_DB']} of production: use inv db.migrate or a deploy", code=1)


def require_confirmation(action: str, confirmed: str, config: str = "") -> None:
    """Raise Exit in production unless the user confirmed the name of the database."""
    settings = loader.load(config, missing_secrets="show")
    name = settings["APPLICATION_DB"]
    if database.is_production(settings) and confirmed != name:
        raise Exit(f"{action} {name} of production: refused without --yes-i-mean {name}", code=1)
