"""Tasks `inv db.…` for the migrations and the database of APPLICATION_CONFIG, by default development."""

from invoke.context import Context
from invoke.tasks import task

from groundwork.configuration import loader
from groundwork.migrations import compatibility, rehearsal, revisions
from groundwork.migrations import lint as migration_lint
from groundwork.postgresql import database, production_guard
from groundwork.postgresql.production_guard import CONFIRM_HELP
from groundwork.scenarios import catalog, workspace
from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from groundwork.tasks import arguments


@task(help={"dry_run": "print the SQL instead of running it"})
def migrate(_: Context, dry_run: bool = False) -> None:
    """Apply the pending migrations.

    Example: inv db.migrate --dry-run
    """
    with production_guard.configured_database() as settings:
        if dry_run:
            current = revisions.current(settings)
            revisions.require_known(current)
            revisions.require_one_head()
            start = ",".join(sorted(current)) or "base"
            revisions.alembic(settings, "upgrade", f"{start}:head", "--sql")
        else:
            revisions.upgrade(settings)


@task(
    help={
        "message": "short description of the migration",
        "apply": "also apply it to the database; review it nevertheless",
    }
)
def revision(_: Context, message: str, apply: bool = False) -> None:
    """Generate a migration from model changes.

    It compares the models with a temporary database at the newest migration.

    Example: inv db.revision -m "add colours"
    """
    if apply:
        production_guard.require_development("--apply would migrate")
    with production_guard.database_outside_production() as settings:
        with revisions.at_head(settings) as compared:
            revisions.alembic(compared, "revision", "--autogenerate", f"--message={message}")
        if apply:
            revisions.upgrade(settings)


@task(help={"revision": "target revision, or base; by default the previous one", "yes_i_mean": CONFIRM_HELP})
def downgrade(_: Context, revision: str = "-1", yes_i_mean: str = "") -> None:
    """Revert the last migration, or several.

    Example: inv db.downgrade --revision base
    """
    with production_guard.confirmed_database("inv db.downgrade would revert migrations of", yes_i_mean) as settings:
        revisions.require_applied(revisions.current(settings), revision)
        revisions.alembic(settings, "downgrade", revision)


@task
def status(_: Context) -> None:
    """Show applied and pending migrations.

    Example: inv db.status
    """
    with production_guard.configured_database() as settings:
        current = revisions.current(settings)
    known = revisions.load_all()
    for name in sorted(current) or ["none"]:
        shell.say(f"database  {known.get(name, name)}")
    for name in sorted(revisions.heads()):
        shell.say(f"head      {known[name]}")
    revisions.require_known(current)
    pending = revisions.pending(current)
    for revision in pending:
        shell.say(f"pending   {revision}")
    revisions.require_one_head()
    shell.say("apply the pending migrations: inv db.migrate" if pending else "the database is up to date")


@task
def lint(_: Context) -> None:
    """Report dangerous operations in the migrations.

    It shows the line and what to do instead.

    Example: inv db.lint
    """
    if found := migration_lint.find():
        raise Exit("\n".join(map(str, found)), code=1)
    shell.say(f"{paths.display(revisions.FOLDER)}: no problem found")


@task
def check(_: Context) -> None:
    """Fail if the models differ from the migrations.

    It compares them on a temporary database and touches no other one.

    Example: inv db.check
    """
    with production_guard.database_outside_production() as settings, revisions.at_head(settings) as compared:
        revisions.alembic(compared, "check")


@task(name="shell")
def open_shell(_: Context) -> None:
    """Open psql on the database.

    Example: inv db.shell
    """
    with production_guard.configured_database() as settings:
        database.connect_or_create(settings).close()
        command, password = database.psql_command(settings)
        shell.serve(command, password)


@task(help={"yes_i_mean": CONFIRM_HELP})
def reset(_: Context, yes_i_mean: str = "") -> None:
    """Drop and recreate the database.

    It applies all migrations and, except in production, loads the starter data.

    Example: inv db.reset
    """
    with production_guard.confirmed_database("inv db.reset would drop", yes_i_mean) as settings:
        database.drop(settings)
        database.create(settings)
        revisions.upgrade(settings)
        if not database.is_production(settings):
            workspace.load_starter(settings)


@task(
    help={
        "size": f"size of the scenario; by default {rehearsal.SIZE:,}",
        "name": "name of the scenario with the data; by default the first one with a size",
        "from_": "start after this revision; by default that of the last release: the last tag, else origin/main",
    }
)
def rehearse(_: Context, size: str = "", name: str = "", from_: str = "") -> None:
    """Measure the locks of the pending migrations.

    It applies them to a copy of a scenario while queries run, and shows which
    tables they lock and how long queries are blocked.

    Example: inv db.rehearse --size 100000
    """
    budget = loader.load(missing_secrets="show").migrations.longest_blocked_ms
    name = name or catalog.first_with_size().name
    rehearsal.run(name, arguments.number("size", size) if size else None, from_, budget)


@task(help={"against": "commit of the release; by default the last tag, else origin/main"})
def compat(_: Context, against: str = "") -> None:
    """Run the last release's API tests on the new schema.

    During a deployment the last release still runs on the new schema.

    Example: inv db.compat --against v1.1
    """
    compatibility.check(against)
