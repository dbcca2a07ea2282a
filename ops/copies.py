"""`inv db.…`: what the database was, kept as a snapshot or a backup, and put back."""

from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from ops import backups, configuration, database, migrations, shell, snapshots, table, target
from ops.configuration import Configuration
from ops.target import MEANT

SNAPSHOT = "which one; inv db.snapshots shows them"
NEWEST = "which one; by default the newest of this git branch"
CONFIG = "which configuration's; by default that of APPLICATION_CONFIG, else development's"
MIGRATE = "if it is behind the code, without asking"


@task(help={"name": "by default the git branch's, with a number where that is taken", "yes_i_mean": MEANT})
def snapshot(_: Context, name: str | None = None, yes_i_mean: str = "") -> None:
    """Keep the database as it is now, to have it again.

    Whoever is connected is disconnected.

    Example: inv db.snapshot --name before-the-import
    """
    with (
        target.destructive("inv db.snapshot would disconnect everybody from", yes_i_mean) as settings,
        snapshots.opened(settings) as kept,
    ):
        taken = kept.take(name)
        shell.say(f"{taken.name} is kept ({kept.size(taken)}): inv db.restore --name {taken.name} brings it back")


@task(help={"name": NEWEST, "migrate": MIGRATE, "yes_i_mean": MEANT})
def restore(_: Context, name: str | None = None, migrate: bool = False, yes_i_mean: str = "") -> None:
    """Put the database back to a snapshot.

    Under whoever is connected.

    Example: inv db.restore --name before-the-import
    """
    with target.destructive("inv db.restore would replace", yes_i_mean) as settings:
        with snapshots.opened(settings) as kept:
            found = kept.newest() if name is None else kept.find(name)
            kept.restore(found)
            shell.say(f"{settings['APPLICATION_DB']} is as it was at {found.when} ({found.name})")
        _offer_to_migrate(settings, set(found.revision.split()), migrate)


@task(name="snapshots")
def list_snapshots(_: Context) -> None:
    """List the snapshots.

    Example: inv db.snapshots
    """
    rows = [("NAME", "BRANCH", "REVISION", "TAKEN", "SIZE")]
    with target.opened() as settings, snapshots.opened(settings) as kept:
        rows += [(each.name, each.branch, each.revision, each.when, kept.size(each)) for each in kept.every()]
    if len(rows) == 1:
        shell.say("there are no snapshots: inv db.snapshot makes one")
        return
    table.show(rows)


@task(help={"name": SNAPSHOT, "yes_i_mean": MEANT})
def forget(_: Context, name: str, yes_i_mean: str = "") -> None:
    """Delete a snapshot.

    Example: inv db.forget --name before-the-import
    """
    with (
        target.destructive("inv db.forget would drop a snapshot of", yes_i_mean) as settings,
        snapshots.opened(settings) as kept,
    ):
        kept.forget(kept.find(name))
        shell.say(f"{name} is dropped")


@task(help={"folder": "where to; by default a new one in .local/backups", "config": CONFIG})
def backup(_: Context, folder: str = "", config: str = "") -> None:
    """Write a backup of the database to a folder.

    Example: inv db.backup --folder ../backups/monday
    """
    with shell.interruptible(), database.available(configuration.load(config)) as found:
        place = backups.place(found.configuration, folder)
        made = backups.make(found, place)
    shell.say(made.kept_in(place))


@task(help={"folder": "of the backup", "config": CONFIG, "migrate": MIGRATE, "yes_i_mean": MEANT})
def restore_backup(_: Context, folder: str, config: str = "", migrate: bool = False, yes_i_mean: str = "") -> None:
    """Put a backup in the place of the database.

    Once what came out of it is what went in.

    Example: inv db.restore-backup --folder ../backups/monday
    """
    target.require_meant("inv db.restore-backup would replace", yes_i_mean, config)
    place = Path(folder).resolve()
    manifest = backups.read(place)
    with shell.interruptible(), database.available(configuration.load(config)) as found:
        database.connect_or_create(found.configuration).close()
        backups.restore(found, manifest, place)
        shell.say(manifest.brought_back_as(found.configuration["APPLICATION_DB"], place))
        _offer_to_migrate(found.configuration, set(manifest.contents.revision.split()), migrate, config)


def _offer_to_migrate(settings: Configuration, revision: set[str], asked: bool, config: str = "") -> None:
    """Where what was restored is not what the code expects."""
    wanted = migrations.heads()
    if revision == wanted:
        return
    differ = f"it is at {_shown(revision)}, and the code at {_shown(wanted)}"
    if not revision <= set(migrations.every()):
        shell.note(f"{differ}: of a revision that this code does not know it cannot be migrated")
    elif asked or shell.answer(f"{differ}: migrate it? [y/n] ").lower() in ("y", "yes"):
        migrations.upgrade(settings)
    else:
        shell.note(f"{differ}: {f'APPLICATION_CONFIG={config} ' if config else ''}inv db.migrate")


def _shown(revisions: set[str]) -> str:
    return ", ".join(sorted(revisions)) or "no revision"
