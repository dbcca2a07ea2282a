"""How migrations meet the database: one migrator at a time, a transaction each, and no long wait for a lock."""

import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import alembic_postgresql_enum  # noqa: F401  the values of enums are compared too
from alembic import context
from alembic.command import revision
from alembic.migration import MigrationContext
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError, to_tuple
from sqlalchemy import Connection, NullPool, create_engine, func, select
from sqlalchemy.exc import DBAPIError, OperationalError

import app.models  # noqa: F401  the tables enter Base.metadata
from app import comparing, migrating
from app.config import InvalidConfiguration, load
from app.database import Base

# Whoever needs the table queues behind a migration that waits for it, so it gives up soon and can be tried again.
LOCK_TIMEOUT = context.get_x_argument(as_dictionary=True).get("lock_timeout", "4s")
# More is work for several small steps. The migration that knows better sets its own. In an autocommit_block there is
# neither: what runs there takes no strong lock, and an index that is cut short is an invalid one.
STATEMENT_TIMEOUT = "5s"

MIGRATION_LOCK = 5_112_946_303  # a number of our own among the advisory locks of this database
SECONDS_BETWEEN_TRIES = 0.2

Block = Callable[[], AbstractContextManager[None]]


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
        if there_is_work(configured(given)):
            with alone(given), context.begin_transaction():
                context.run_migrations()
        return
    with connect() as connection:
        if there_is_work(configured(connection)):
            with alone(connection):
                try:
                    migrating.patiently(lambda: migrate(connection), say)
                except DBAPIError as error:
                    raise CommandError(complaint(error, connection)) from error


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


def configured(connection: Connection) -> Connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
        on_version_apply=announce,  # type: ignore[arg-type]  # called by keywords, as documented
        process_revision_directives=write_nothing_about_nothing,
        **comparing.OPTIONS,
    )
    return connection


def migrate(connection: Connection) -> None:
    """Can be called again after a failure: it goes on after the last migration that is whole."""
    configured(connection)
    migration = context.get_context()
    migration.autocommit_block = without_timeouts(migration.autocommit_block)  # type: ignore[method-assign,assignment]
    pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]  # it is psycopg's
    with migrating.watched(connection.engine, pid, say), context.begin_transaction():
        context.run_migrations()


def without_timeouts(autocommit_block: Block) -> Block:
    @contextmanager
    def block() -> Iterator[None]:
        with autocommit_block(), migrating.without_timeouts(context.get_bind()):
            yield

    return block


def complaint(error: DBAPIError, connection: Connection) -> str:
    """Which line of which migration failed, and where that leaves the database."""
    where = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = Path(frame.f_code.co_filename)
        if file.parent.name == "versions":
            where = f"revision {frame.f_globals['revision']} failed at alembic/versions/{file.name}:{line}: "
    try:
        with connection.engine.connect() as other:  # that one may be what was lost
            heads = MigrationContext.configure(other).get_current_heads()
    except OperationalError:
        left = "the database does not answer any more"
    else:
        left = f"the database is at {', '.join(heads) or 'no migration'}"
    return f"{where}{' '.join(str(error.orig).split())}; {left}"


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Hold the lock of all migrators, but for a command that only reads; who waited then finds the work done.

    The lock has a connection of its own, never in a transaction. Asked for again and again, not waited for: a
    waiting statement is one that CREATE INDEX CONCURRENTLY, run by the lock's holder, would wait for in turn.
    """
    if not is_migrating():
        yield
        return
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        while not guard.scalar(select(func.pg_try_advisory_lock(MIGRATION_LOCK))):
            time.sleep(SECONDS_BETWEEN_TRIES)
        try:
            migrating.drop_broken_indexes(guard, say)
            yield
        finally:
            guard.scalar(select(func.pg_advisory_unlock(MIGRATION_LOCK)))


def there_is_work(connection: Connection) -> bool:
    """False for a database that already is where it shall go."""
    if not is_migrating():
        return True
    was_in_transaction = connection.in_transaction()
    current = context.get_context().get_current_heads()
    if not was_in_transaction:
        connection.rollback()
    return set(current) != set(to_tuple(context.get_revision_argument(), default=()))


def is_migrating() -> bool:
    """Whether the command goes somewhere, or only reads."""
    return "destination_rev" in context.get_context().opts


def announce(*, step: MigrationInfo, **_: object) -> None:
    direction = "upgrade" if step.is_upgrade else "downgrade"
    for script in filter(None, context.script.get_revisions(step.up_revision_ids)):
        say(f"{direction} {script.revision}: {script.doc}")


def write_nothing_about_nothing(
    _context: MigrationContext, _revision: object, directives: list[MigrationScript]
) -> None:
    """Called for `revision --autogenerate` and for `check`, which wants to see its nothing."""
    arguments = context.config.cmd_opts
    asked_to_write = arguments is not None and arguments.cmd[0] is revision
    if asked_to_write and all(ops.is_empty() for ops in directives[0].upgrade_ops_list):
        directives.clear()
        say("The models and the migrations agree: no revision was written.")


def say(message: str) -> None:
    """At once, wherever it goes: who reads along in a log wants to know what is waited for."""
    context.config.print_stdout("%s", message)
    context.config.stdout.flush()


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
