"""`inv db.…`: migrations, and the database itself; of development, or of the one that APPLICATION_CONFIG names."""

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import (
    configuration,
    database,
    migration_lint,
    migrations,
    options,
    predecessor,
    project,
    rehearsal,
    shell,
    target,
)
from ops.target import MEANT


@task(help={"dry_run": "print the SQL instead of running it"})
def migrate(_: Context, dry_run: bool = False) -> None:
    """Bring the database to the newest migration.

    Example: inv db.migrate --dry-run
    """
    with target.opened() as settings:
        if dry_run:
            current = migrations.current(settings)
            migrations.require_known(current)
            migrations.require_one_head()
            start = ",".join(sorted(current)) or "base"
            migrations.alembic(settings, "upgrade", f"{start}:head", "--sql")
        else:
            migrations.upgrade(settings)


@task(
    help={
        "message": "what the migration does, in a few words",
        "apply": "migrate the database too; read it all the same",
    }
)
def revision(_: Context, message: str, apply: bool = False) -> None:
    """Generate a migration from model changes.

    The models are compared with a temporary database that has all migrations.

    Example: inv db.revision -m "add colours"
    """
    if apply:
        target.require_development("--apply would migrate")
    with target.spared() as settings:
        with migrations.at_head(settings) as compared:
            migrations.alembic(compared, "revision", "--autogenerate", f"--message={message}")
        if apply:
            migrations.upgrade(settings)


@task(help={"revision": "the one to go back to, or base; by default one back", "yes_i_mean": MEANT})
def downgrade(_: Context, revision: str = "-1", yes_i_mean: str = "") -> None:
    """Undo the last migration, or several.

    Example: inv db.downgrade --revision base
    """
    with target.destructive("inv db.downgrade would undo migrations of", yes_i_mean) as settings:
        migrations.require_applied(migrations.current(settings), revision)
        migrations.alembic(settings, "downgrade", revision)


@task
def status(_: Context) -> None:
    """Show which migrations are applied, which pending.

    Example: inv db.status
    """
    with target.opened() as settings:
        current = migrations.current(settings)
    known = migrations.every()
    for name in sorted(current) or ["none"]:
        shell.say(f"database  {known.get(name, name)}")
    for name in sorted(migrations.heads()):
        shell.say(f"head      {known[name]}")
    migrations.require_known(current)
    pending = migrations.pending(current)
    for revision in pending:
        shell.say(f"pending   {revision}")
    migrations.require_one_head()
    shell.say("the database is behind: inv db.migrate" if pending else "the code and the database match")


@task
def lint(_: Context) -> None:
    """Report what is dangerous in a migration.

    With its line and what to do instead.

    Example: inv db.lint
    """
    if found := migration_lint.find():
        raise Exit("\n".join(map(str, found)), code=1)
    shell.say(f"{project.shown(migrations.FOLDER)}: no problem found")


@task
def check(_: Context) -> None:
    """Fail if the models differ from the migrations.

    They are compared on a temporary database, and no other is touched.

    Example: inv db.check
    """
    with target.spared() as settings, migrations.at_head(settings) as compared:
        migrations.alembic(compared, "check")


@task(name="shell")
def open_shell(_: Context) -> None:
    """Open psql on the database.

    Example: inv db.shell
    """
    with target.opened() as settings:
        database.connect_or_create(settings).close()
        command, password = database.psql(settings)
        shell.serve(command, password)


@task(help={"yes_i_mean": MEANT})
def reset(_: Context, yes_i_mean: str = "") -> None:
    """Make the database anew; what is in it is lost.

    Migrated, and but in production with the starter data.

    Example: inv db.reset
    """
    with target.destructive("inv db.reset would drop", yes_i_mean) as settings:
        database.drop(settings)
        database.create(settings)
        migrations.upgrade(settings)
        if not database.is_production(settings):
            shell.run(shell.python("scenarios", "starter"), settings.environment)


@task(
    help={
        "size": f"of the scenario; by default {rehearsal.SIZE:,}",
        "name": "of the scenario whose data the migrations meet",
        "from_": "the revision to begin after; by default that of the last release: the last tag, else origin/main",
    }
)
def rehearse(_: Context, size: str = "", name: str = "orders", from_: str = "") -> None:
    """Show what the pending migrations block, on a copy.

    It applies them to a scenario while queries run, and shows what they lock
    and how long it blocks.

    Example: inv db.rehearse --size 100000
    """
    budget = configuration.load(missing_secrets="show").longest_blocked_ms
    rehearsal.run(name, options.number("size", size) if size else None, from_, budget)


@task(help={"against": "a commit; by default the last release: the last tag, else origin/main"})
def compat(_: Context, against: str = "") -> None:
    """Run the last release's API tests on the new schema.

    The last release still runs while the new one starts.

    Example: inv db.compat --against v1.1
    """
    predecessor.check(against)
