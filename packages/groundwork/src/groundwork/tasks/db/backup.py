"""Tasks `inv db.…` for snapshots and backups of the configured database."""

from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from groundwork.backups import dumps, snapshots
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import database, production_guard
from groundwork.postgresql.database import Database
from groundwork.postgresql.production_guard import CONFIRM_HELP
from groundwork.system import paths, shell, table
from groundwork.system.errors import Exit
from groundwork.tasks import arguments

SNAPSHOT = "name of the snapshot; inv db.snapshots lists them"
NEWEST = "name of the snapshot; by default the newest of this git branch"
BACKUP_HELP = {
    "folder": "target folder; by default a new one in .local/backups",
    "keep": "number of backups to keep in .local/backups; older ones are deleted after this one is complete",
}
CONFIG = "name of the configuration; by default APPLICATION_CONFIG, else development"
MIGRATE = "apply pending migrations without asking"


@task(help={"name": "snapshot name; by default the git branch, with a number if taken", "yes_i_mean": CONFIRM_HELP})
def snapshot(_: Context, name: str | None = None, yes_i_mean: str = "") -> None:
    """Snapshot the database.

    It disconnects all clients of the database.

    Example: inv db.snapshot --name before-the-import
    """
    with (
        production_guard.confirmed_database("inv db.snapshot would disconnect all clients of", yes_i_mean) as settings,
        snapshots.connect(settings) as store,
    ):
        taken = store.take(name)
        shell.say(f"took snapshot {taken.name} ({store.size(taken)}); restore it: inv db.restore --name {taken.name}")


@task(help={"name": NEWEST, "migrate": MIGRATE, "yes_i_mean": CONFIRM_HELP})
def restore(_: Context, name: str | None = None, migrate: bool = False, yes_i_mean: str = "") -> None:
    """Restore a snapshot.

    It replaces the database and disconnects all clients.

    Example: inv db.restore --name before-the-import
    """
    with production_guard.confirmed_database("inv db.restore would replace", yes_i_mean) as settings:
        with snapshots.connect(settings) as store:
            found = store.newest() if name is None else store.find(name)
            store.restore(found)
            database_name = settings["APPLICATION_DB"]
            shell.say(f"restored {database_name} to its state of {found.taken_local} (snapshot {found.name})")
        _offer_to_migrate(settings, set(found.revision.split()), migrate)


@task(name="snapshots")
def list_snapshots(_: Context) -> None:
    """List the snapshots.

    Example: inv db.snapshots
    """
    rows = [("NAME", "BRANCH", "REVISION", "TAKEN", "SIZE")]
    with production_guard.configured_database() as settings, snapshots.connect(settings) as store:
        rows += [
            (each.name, each.branch, each.revision, each.taken_local, store.size(each)) for each in store.list_all()
        ]
    if len(rows) == 1:
        shell.say("there are no snapshots: inv db.snapshot takes one")
        return
    table.show(rows)


@task(help={"name": SNAPSHOT, "yes_i_mean": CONFIRM_HELP})
def forget(_: Context, name: str, yes_i_mean: str = "") -> None:
    """Delete a snapshot.

    Example: inv db.forget --name before-the-import
    """
    with (
        production_guard.confirmed_database("inv db.forget would drop a snapshot of", yes_i_mean) as settings,
        snapshots.connect(settings) as store,
    ):
        store.delete(store.find(name))
        shell.say(f"deleted snapshot {name}")


@task(help={**BACKUP_HELP, "config": CONFIG})
def backup(_: Context, folder: str = "", keep: str = "", config: str = "") -> None:
    """Write a backup of the database to a folder.

    Example: inv db.backup --folder ../backups/monday
    """
    with shell.interruptible(), database.available(loader.load(config)) as found:
        write_backup(found, folder, keep)


def write_backup(found: Database, folder: str, keep: str) -> None:
    """Back up a database, and delete all but the newest `keep` backups in .local/backups. Raises Exit on failure."""
    if folder and keep:
        raise Exit("--keep: deletes backups in .local/backups only: leave out --folder", code=1)
    number = arguments.number("keep", keep) if keep else 0
    target = dumps.backup_folder(found.configuration, folder)
    made = dumps.create(found, target)
    shell.say(made.summary(target))
    for old in dumps.delete_old(found.configuration, number) if number else []:
        shell.say(f"deleted {paths.display(old)}")


@task(help={"folder": "folder of the backup", "config": CONFIG, "migrate": MIGRATE, "yes_i_mean": CONFIRM_HELP})
def restore_backup(_: Context, folder: str, config: str = "", migrate: bool = False, yes_i_mean: str = "") -> None:
    """Restore the database from a backup.

    The restored data is verified before it replaces the database.

    Example: inv db.restore-backup --folder ../backups/monday
    """
    production_guard.require_confirmation("inv db.restore-backup would replace", yes_i_mean, config)
    source = Path(folder).resolve()
    manifest = dumps.read(source)
    with shell.interruptible(), database.available(loader.load(config)) as found:
        database.connect_or_create(found.configuration).close()
        dumps.restore(found, manifest, source)
        shell.say(manifest.restored_summary(found.configuration["APPLICATION_DB"], source))
        _offer_to_migrate(found.configuration, set(manifest.contents.revision.split()), migrate, config)


def _offer_to_migrate(settings: Configuration, revision: set[str], migrate: bool, config: str = "") -> None:
    """Migrate a restored database that is not at the head: with `migrate`, or after confirmation."""
    heads = revisions.heads()
    if revision == heads:
        return
    message = f"the restored database is at {_join(revision)}, the code at {_join(heads)}"
    if not revision <= set(revisions.load_all()):
        shell.note(f"{message}: it cannot be migrated, since this checkout does not have its revision")
    elif migrate or shell.prompt(f"{message}: migrate it? [y/n] ").lower() in ("y", "yes"):
        revisions.upgrade(settings)
    else:
        shell.note(f"{message}: migrate it: {f'APPLICATION_CONFIG={config} ' if config else ''}inv db.migrate")


def _join(revisions: set[str]) -> str:
    return ", ".join(sorted(revisions)) or "no revision"
