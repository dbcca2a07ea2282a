"""How migrations meet the database: one migrator at a time, a transaction each, and no long wait for a lock."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from alembic.command import revision
from alembic.migration import MigrationContext
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError, to_tuple
from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select
from sqlalchemy.exc import OperationalError

import app.models  # noqa: F401  the tables enter Base.metadata
from app.config import InvalidConfiguration, load
from app.database import Base

# Whoever needs the table queues behind a migration that waits for it, so it gives up soon and can be tried again.
LOCK_TIMEOUT = "4s"
# More is work for several small steps. The migration that knows better sets its own; so must one that builds an
# index concurrently, with both at 0: cut short, it leaves an invalid index behind.
STATEMENT_TIMEOUT = "5s"

MIGRATION_LOCK = 5_112_946_303  # a number of our own among the advisory locks of this database
SECONDS_BETWEEN_TRIES = 0.2


def migrate_offline() -> None:
    """Write the SQL instead of running it; needs no database and no configuration."""
    context.configure(
        dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True, transaction_per_migration=True
    )
    context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    context.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    with context.begin_transaction():
        context.run_migrations()


def migrate_online() -> None:
    """A connection that is handed over keeps its owner's timeouts, and its owner's transaction where there is one."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    with connect() as connection:
        migrate(connection)


def connect() -> Connection:
    try:
        engine = create_engine(
            load(os.environ.get("FLASK_CONFIG", "")).database_url,
            poolclass=NullPool,
            connect_args={"options": f"-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT}"},
        )
        return engine.connect()
    except InvalidConfiguration as error:
        raise CommandError(str(error)) from error
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {error.orig}") from error


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
        on_version_apply=announce,  # type: ignore[arg-type]  # called by keywords, as documented
        process_revision_directives=write_nothing_about_nothing,
    )
    with alone(connection.engine), context.begin_transaction():
        context.run_migrations()


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Where there is work, hold the lock of all migrators; who waited then finds the work done.

    The lock has a connection of its own, never in a transaction. Asked for again and again, not waited for: a
    waiting statement is one that CREATE INDEX CONCURRENTLY, run by the lock's holder, would wait for in turn.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        if not there_is_work(guard):
            yield
            return
        while not guard.scalar(select(func.pg_try_advisory_lock(MIGRATION_LOCK))):
            time.sleep(SECONDS_BETWEEN_TRIES)
        try:
            yield
        finally:
            guard.scalar(select(func.pg_advisory_unlock(MIGRATION_LOCK)))


def there_is_work(connection: Connection) -> bool:
    """False for a command that only reads, and for a database that already is where it shall go."""
    if "destination_rev" not in context.get_context().opts:
        return False
    current = MigrationContext.configure(connection).get_current_heads()
    return set(current) != set(to_tuple(context.get_revision_argument(), default=()))


def announce(*, step: MigrationInfo, **_: object) -> None:
    direction = "upgrade" if step.is_upgrade else "downgrade"
    for script in filter(None, context.script.get_revisions(step.up_revision_ids)):
        context.config.print_stdout("%s %s: %s", direction, script.revision, script.doc)


def write_nothing_about_nothing(
    _context: MigrationContext, _revision: object, directives: list[MigrationScript]
) -> None:
    """Called for `revision --autogenerate` and for `check`, which wants to see its nothing."""
    arguments = context.config.cmd_opts
    asked_to_write = arguments is not None and arguments.cmd[0] is revision
    if asked_to_write and all(ops.is_empty() for ops in directives[0].upgrade_ops_list):
        directives.clear()
        context.config.print_stdout("The models and the migrations agree: no revision was written.")


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
