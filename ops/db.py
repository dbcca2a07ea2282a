"""`inv db.…`: migrations, and the database itself; of development, or of the one that APPLICATION_CONFIG names."""

from collections.abc import Iterator
from contextlib import contextmanager

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import configuration, database, shell
from ops.configuration import Configuration


@task
def migrate(_: Context) -> None:
    """Migrate to the head."""
    with _configured() as settings:
        upgrade(settings)


@task(help={"message": "what the migration does, in a few words"})
def revision(_: Context, message: str) -> None:
    """Write a migration for what the models have and the database has not."""
    with _configured() as settings:
        upgrade(settings)
        _alembic(settings, "revision", "--autogenerate", "--message", message)


@task(help={"revision": "to which revision; by default one back"})
def downgrade(_: Context, revision: str = "-1") -> None:
    """Undo migrations."""
    with _configured() as settings:
        _alembic(settings, "downgrade", revision)


@task
def status(_: Context) -> None:
    """Show the migrations, and at which one the database is."""
    with _configured() as settings:
        _alembic(settings, "history", "--indicate-current")


@task
def check(_: Context) -> None:
    """Fail where the models have what no migration makes."""
    with _configured() as settings:
        upgrade(settings)
        _alembic(settings, "check")


@task(name="shell")
def open_shell(_: Context) -> None:
    """Open psql."""
    with _configured() as settings:
        command, password = database.psql(settings)
        shell.serve(command, password)


@task
def reset(_: Context) -> None:
    """Drop the database and make it anew, migrated and with the starter data; never in production."""
    settings = configuration.load(missing_secrets="show")
    if settings["FLASK_CONFIG"] == "production":
        raise Exit(f"inv db.reset would drop {settings['APPLICATION_DB']} of production: refused", code=1)
    with _configured() as settings:
        database.drop(settings)
        database.create(settings)
        upgrade(settings)
        shell.run(shell.python("scenarios", "starter"), settings.environment)


def upgrade(settings: Configuration) -> None:
    _alembic(settings, "upgrade", "head")


@contextmanager
def _configured() -> Iterator[Configuration]:
    with shell.interruptible(), database.available(configuration.load()) as found:
        yield found.configuration


def _alembic(settings: Configuration, *arguments: str) -> None:
    shell.run(shell.python("alembic", *arguments), settings.environment)
