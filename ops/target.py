"""The database that a task of `inv db` is called for, and the leave to destroy what is in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from invoke.exceptions import Exit

from ops import configuration, database, shell
from ops.configuration import Configuration

MEANT = "in production: the name of the database, to say that it is meant"


@contextmanager
def opened() -> Iterator[Configuration]:
    """Leads to it, from this machine."""
    with shell.interruptible(), database.available(configuration.load()) as found:
        yield found.configuration


@contextmanager
def spared() -> Iterator[Configuration]:
    """Yield what `opened` does; in production, this checkout's development server, for a task that must not write."""
    named = configuration.load(missing_secrets="show")
    if not database.is_production(named):
        with opened() as settings:
            yield settings
        return
    shell.note(f"{named.name} is left alone: the development server is used")
    development = configuration.load("development", environ={})  # the variables may be those of production
    with shell.interruptible(), database.available(development) as found:
        yield found.configuration


@contextmanager
def destructive(would: str, meant: str) -> Iterator[Configuration]:
    require_meant(would, meant)
    with opened() as settings:
        database.connect_or_create(settings).close()
        yield settings


def require_development(would: str) -> None:
    """Raise Exit in production."""
    settings = configuration.load(missing_secrets="show")
    if database.is_production(settings):
        raise Exit(f"{would} {settings['APPLICATION_DB']} of production: inv db.migrate does, or a deploy", code=1)


def require_meant(would: str, meant: str, config: str = "") -> None:
    """In production, whoever destroys something names the database that it happens to."""
    settings = configuration.load(config, missing_secrets="show")
    name = settings["APPLICATION_DB"]
    if database.is_production(settings) and meant != name:
        raise Exit(f"{would} {name} of production: refused without --yes-i-mean {name}", code=1)
