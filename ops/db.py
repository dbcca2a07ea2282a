"""`inv db.…`: migrations, and the database itself; of development, or of the one that APPLICATION_CONFIG names."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import (
    backups,
    configuration,
    database,
    migration_lint,
    migrations,
    options,
    predecessor,
    project,
    rehearsal,
    shell,
    snapshots,
)
from ops.configuration import Configuration

SNAPSHOT = "which one; inv db.snapshots shows them"
MEANT = "in production: the name of the database, to say that it is meant"


@task(help={"dry_run": "print the SQL instead of running it"})
def migrate(_: Context, dry_run: bool = False) -> None:
    """Migrate to the head."""
    with _configured() as settings:
        if dry_run:
            start = ",".join(sorted(migrations.current(settings))) or "base"
            _alembic(settings, "upgrade", f"{start}:head", "--sql")
        else:
            upgrade(settings)


@task(help={"message": "what the migration does, in a few words"})
def revision(_: Context, message: str) -> None:
    """Write a migration for what the models have and the database has not."""
    with _configured() as settings:
        upgrade(settings)
        _alembic(settings, "revision", "--autogenerate", "--message", message)


@task(help={"revision": "to which revision; by default one back", "yes_i_mean": MEANT})
def downgrade(_: Context, revision: str = "-1", yes_i_mean: str = "") -> None:
    """Undo migrations."""
    with _destructive("inv db.downgrade would undo migrations of", yes_i_mean) as settings:
        _alembic(settings, "downgrade", revision)


@task
def status(_: Context) -> None:
    """Show at which migration the database is, and which are pending."""
    with _configured() as settings:
        current = migrations.current(settings)
    known, pending = migrations.every(), migrations.pending(current)
    for name in sorted(current) or ["none"]:
        shell.say(f"database  {known.get(name, name)}")
    for name in sorted(migrations.heads()):
        shell.say(f"head      {known[name]}")
    for revision in pending:
        shell.say(f"pending   {revision}")
    if unknown := sorted(current - set(known)):
        shell.say(f"the database is ahead: this code does not know {', '.join(unknown)}")
    else:
        shell.say("the database is behind: inv db.migrate" if pending else "the code and the database match")


@task
def lint(_: Context) -> None:
    """Report what is dangerous in a migration, with its line and what to do instead."""
    if found := migration_lint.find():
        raise Exit("\n".join(map(str, found)), code=1)
    shell.say(f"{project.shown(migrations.FOLDER)}: no problem found")


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


@task(help={"yes_i_mean": MEANT})
def reset(_: Context, yes_i_mean: str = "") -> None:
    """Drop the database and make it anew, migrated, and but in production with the starter data."""
    with _destructive("inv db.reset would drop", yes_i_mean) as settings:
        database.drop(settings)
        database.create(settings)
        upgrade(settings)
        if not _is_production(settings):
            shell.run(shell.python("scenarios", "starter"), settings.environment)


@task(help={"name": "by default the git branch's, with a number where that is taken", "yes_i_mean": MEANT})
def snapshot(_: Context, name: str | None = None, yes_i_mean: str = "") -> None:
    """Keep the database as it is now, to have it again; whoever is connected is disconnected."""
    with (
        _destructive("inv db.snapshot would disconnect everybody from", yes_i_mean) as settings,
        snapshots.opened(settings) as kept,
    ):
        taken = kept.take(name)
        shell.say(f"{taken.name} is kept ({kept.size(taken)}): inv db.restore --name {taken.name} brings it back")


@task(help={"name": SNAPSHOT, "migrate": "if it is behind the code, without asking", "yes_i_mean": MEANT})
def restore(_: Context, name: str, migrate: bool = False, yes_i_mean: str = "") -> None:
    """Put the database back to a snapshot, under whoever is connected."""
    with _destructive("inv db.restore would replace", yes_i_mean) as settings:
        with snapshots.opened(settings) as kept:
            found = kept.find(name)
            kept.restore(found)
        shell.say(f"{settings['APPLICATION_DB']} is as it was at {found.when} ({found.name})")
        _offer_to_migrate(settings, set(found.revision.split()), migrate)


@task(name="snapshots")
def list_snapshots(_: Context) -> None:
    """List the snapshots."""
    rows = [("NAME", "BRANCH", "REVISION", "TAKEN", "SIZE")]
    with _configured() as settings, snapshots.opened(settings) as kept:
        rows += [(each.name, each.branch, each.revision, each.when, kept.size(each)) for each in kept.every()]
    if len(rows) == 1:
        shell.say("there are no snapshots: inv db.snapshot makes one")
        return
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        shell.say("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


@task(help={"name": SNAPSHOT, "yes_i_mean": MEANT})
def forget(_: Context, name: str, yes_i_mean: str = "") -> None:
    """Drop a snapshot."""
    with (
        _destructive("inv db.forget would drop a snapshot of", yes_i_mean) as settings,
        snapshots.opened(settings) as kept,
    ):
        kept.forget(kept.find(name))
        shell.say(f"{name} is dropped")


@task(help={"folder": "where to; by default a new one in .local/backups"})
def backup(_: Context, folder: str | None = None) -> None:
    """Write a backup of the database that APPLICATION_CONFIG names."""
    with shell.interruptible(), database.available(configuration.load()) as found:
        place = Path(folder).resolve() if folder else backups.usual_folder(found.configuration)
        made = backups.make(found, place)
    rows, tables = sum(made.contents.rows.values()), len(made.contents.rows)
    shell.say(f"{made.database} is in {project.shown(place)}: {rows:,} rows of {tables} tables")


@task(help={"folder": "of the backup", "migrate": "if it is behind the code, without asking", "yes_i_mean": MEANT})
def restore_backup(_: Context, folder: str, migrate: bool = False, yes_i_mean: str = "") -> None:
    """Put a backup in the place of the database, once what came out of it is what went in."""
    _require_meant("inv db.restore-backup would replace", yes_i_mean)
    place = Path(folder).resolve()
    manifest = backups.read(place)
    with shell.interruptible(), database.available(configuration.load()) as found:
        backups.restore(found, manifest, place)
        name = found.configuration["APPLICATION_DB"]
        shell.say(f"{name} is as {manifest.database} was at {manifest.taken} ({project.shown(place)})")
        _offer_to_migrate(found.configuration, set(manifest.contents.revision.split()), migrate)


@task(
    help={
        "size": f"of the scenario; by default {rehearsal.SIZE:,}",
        "name": "of the scenario whose data the migrations meet",
        "from_": "the revision to begin after; by default that of the last release: the last tag, else origin/main",
    }
)
def rehearse(_: Context, size: str = "", name: str = "orders", from_: str = "") -> None:
    """Apply the pending migrations to a scenario while queries run, and show what they lock and how long it blocks."""
    budget = configuration.load(missing_secrets="show").longest_blocked_ms
    rehearsal.run(name, options.number("size", size) if size else None, from_, budget)


@task(help={"against": "a commit; by default the last release: the last tag, else origin/main"})
def compat(_: Context, against: str = "") -> None:
    """Run the API tests of the last release on the new schema: it still runs while the new one starts."""
    predecessor.check(against)


def upgrade(settings: Configuration) -> None:
    """Without a word where there is nothing to do, which is seen before Alembic is imported."""
    with migrations.turn_to_migrate(settings) as there_is_work:
        if there_is_work:
            _alembic(settings, "upgrade", "head")


def _offer_to_migrate(settings: Configuration, revision: set[str], asked: bool) -> None:
    """Where what was restored is not what the code expects."""
    wanted = migrations.heads()
    if revision == wanted:
        return
    differ = f"it is at {_shown(revision)}, and the code at {_shown(wanted)}"
    if not revision <= set(migrations.every()):
        shell.note(f"{differ}: of a revision that this code does not know it cannot be migrated")
    elif asked or _agreed(f"{differ}: migrate it? [y/n] "):
        upgrade(settings)
    else:
        shell.note(f"{differ}: inv db.migrate")


def _agreed(question: str) -> bool:
    """Nobody agrees where there is no terminal."""
    if not sys.stdin.isatty():
        return False
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        return False


def _shown(revisions: set[str]) -> str:
    return ", ".join(sorted(revisions)) or "no revision"


@contextmanager
def _destructive(would: str, meant: str) -> Iterator[Configuration]:
    _require_meant(would, meant)
    with _configured() as settings:
        yield settings


def _require_meant(would: str, meant: str) -> None:
    """In production, whoever destroys something names the database that it happens to."""
    settings = configuration.load(missing_secrets="show")
    name = settings["APPLICATION_DB"]
    if _is_production(settings) and meant != name:
        raise Exit(f"{would} {name} of production: refused without --yes-i-mean {name}", code=1)


def _is_production(settings: Configuration) -> bool:
    return settings["FLASK_CONFIG"] == "production"


@contextmanager
def _configured() -> Iterator[Configuration]:
    with shell.interruptible(), database.available(configuration.load()) as found:
        yield found.configuration


def _alembic(settings: Configuration, *arguments: str) -> None:
    shell.run(shell.python("alembic", *arguments), settings.environment)
