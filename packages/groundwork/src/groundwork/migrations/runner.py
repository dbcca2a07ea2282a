"""Migration runner, called by the project's alembic/env.py: one migrator, a transaction per migration, short timeouts.

It runs in the image of production too, so this module, `locks` and `schema_comparison` import nothing of the tools.
"""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import alembic_postgresql_enum  # noqa: F401  makes autogenerate compare enum values
from alembic import context
from alembic.command import revision
from alembic.migration import MigrationContext
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError, to_tuple
from sqlalchemy import URL, Connection, MetaData, NullPool, create_engine, func, select
from sqlalchemy.exc import DBAPIError, OperationalError

from groundwork.migrations import locks, schema_comparison

# Other statements queue behind a migration that waits for a lock, so it gives up soon and can be retried.
LOCK_TIMEOUT = "4s"  # alembic -x lock_timeout=1s sets another
# Split longer work into several small steps; a migration can set its own timeout. An autocommit_block has neither
# timeout: its statements take no strong lock, and an interrupted index build leaves an invalid index.
STATEMENT_TIMEOUT = "5s"

MIGRATION_LOCK = 5_112_946_303  # advisory lock that nothing else in this database uses
SECONDS_BETWEEN_TRIES = 0.2

Block = Callable[[], AbstractContextManager[None]]


def run(metadata: MetaData, load_url: Callable[[], URL]) -> None:
    """Run the Alembic command that loaded env.py. `load_url` raises ValueError if the configuration is invalid."""
    if context.is_offline_mode():
        migrate_offline(metadata)
    else:
        migrate_online(metadata, load_url)


def migrate_offline(metadata: MetaData) -> None:
    """Write the SQL instead of running it; needs no database and no configuration."""
    context.configure(
        dialect_name="postgresql", target_metadata=metadata, literal_binds=True, transaction_per_migration=True
    )
    context.execute(f"SET lock_timeout = '{lock_timeout()}'")
    context.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    with context.begin_transaction():
        context.run_migrations()


def migrate_online(metadata: MetaData, load_url: Callable[[], URL]) -> None:
    """Migrate on the given connection, with its owner's timeouts and transaction, or on a new one with retries."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        if there_is_work(configured(given, metadata)):
            with alone(given), context.begin_transaction():
                context.run_migrations()
        return
    with connect(load_url) as connection:
        if there_is_work(configured(connection, metadata)):
            with alone(connection):
                try:
                    locks.retry(lambda: migrate(connection, metadata), say)
                except DBAPIError as error:
                    raise CommandError(error_message(error, connection)) from error


def connect(load_url: Callable[[], URL]) -> Connection:
    try:
        url = load_url()
    except ValueError as error:
        raise CommandError(str(error)) from error
    options = f"-c lock_timeout={lock_timeout()} -c statement_timeout={STATEMENT_TIMEOUT}"
    try:
        return create_engine(url, poolclass=NullPool, connect_args={"options": options}).connect()
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {error.orig}") from error


def lock_timeout() -> str:
    return context.get_x_argument(as_dictionary=True).get("lock_timeout", LOCK_TIMEOUT)


def configured(connection: Connection, metadata: MetaData) -> Connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
        on_version_apply=announce,  # type: ignore[arg-type]  # called by keywords, as documented
        process_revision_directives=skip_empty_revision,
        **schema_comparison.OPTIONS,
    )
    return connection


def migrate(connection: Connection, metadata: MetaData) -> None:
    """Run the migrations; a call after a failure resumes after the last complete migration."""
    configured(connection, metadata)
    migration = context.get_context()
    migration.autocommit_block = without_timeouts(migration.autocommit_block)  # type: ignore[method-assign,assignment]
    pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]  # a psycopg connection
    with locks.watched(connection.engine, pid, say), context.begin_transaction():
        context.run_migrations()


def without_timeouts(autocommit_block: Block) -> Block:
    @contextmanager
    def block() -> Iterator[None]:
        with autocommit_block(), locks.without_timeouts(context.get_bind()):
            yield

    return block


def error_message(error: DBAPIError, connection: Connection) -> str:
    """Return the error, the line of the migration that failed, and the revision that the database is at."""
    where = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = Path(frame.f_code.co_filename)
        if file.parent.name == "versions":
            where = f"revision {frame.f_globals['revision']} failed at {'/'.join(file.parts[-3:])}:{line}: "
    try:
        with connection.engine.connect() as other:  # the given connection may be broken
            heads = MigrationContext.configure(other).get_current_heads()
    except OperationalError:
        left = "the database does not answer any more"
    else:
        left = f"the database is at {', '.join(heads) or 'no migration'}"
    return f"{where}{' '.join(str(error.orig).split())}; {left}"


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Hold the migration lock, except for a command that only reads; the next holder may find the work done.

    The lock has a separate connection, never in a transaction. Poll for it, because CREATE INDEX CONCURRENTLY, run by
    the lock's holder, would wait for a statement that waits for the lock: a deadlock.
    """
    if not is_migrating():
        yield
        return
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        while not guard.scalar(select(func.pg_try_advisory_lock(MIGRATION_LOCK))):
            time.sleep(SECONDS_BETWEEN_TRIES)
        try:
            locks.drop_broken_indexes(guard, say)
            yield
        finally:
            guard.scalar(select(func.pg_advisory_unlock(MIGRATION_LOCK)))


def there_is_work(connection: Connection) -> bool:
    """Return False if the database is already at the requested revision."""
    if not is_migrating():
        return True
    was_in_transaction = connection.in_transaction()
    current = context.get_context().get_current_heads()
    if not was_in_transaction:
        connection.rollback()
    return set(current) != set(to_tuple(context.get_revision_argument(), default=()))


def is_migrating() -> bool:
    """Return whether the command changes the revision; other commands only read."""
    return "destination_rev" in context.get_context().opts


def announce(*, step: MigrationInfo, **_: object) -> None:
    direction = "upgrade" if step.is_upgrade else "downgrade"
    for script in filter(None, context.script.get_revisions(step.up_revision_ids)):
        say(f"{direction} {script.revision}: {script.doc}")


def skip_empty_revision(_context: MigrationContext, _revision: object, directives: list[MigrationScript]) -> None:
    """Skip an empty revision for `revision --autogenerate`; keep it for `check`, which needs to see it."""
    arguments = context.config.cmd_opts
    asked_to_write = arguments is not None and arguments.cmd[0] is revision
    if asked_to_write and all(ops.is_empty() for ops in directives[0].upgrade_ops_list):
        directives.clear()
        say("The models and the migrations agree: no revision was written.")


def say(message: str) -> None:
    """Print and flush, so that a reader of the log sees immediately what the migration waits for."""
    context.config.print_stdout("%s", message)
    context.config.stdout.flush()
