"""Upgrade of production's data to a newer major version of PostgreSQL: `inv prod.upgrade-postgres`."""

import secrets

from groundwork.backups import dumps
from groundwork.configuration.loader import Configuration
from groundwork.postgresql import majors
from groundwork.production import replacement, stack
from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from groundwork.system.progress import step

REMEDY = "To move the data: inv prod.upgrade-postgres"
DISCONNECT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def refuse(settings: Configuration) -> None:
    """Raise Exit if the data has another major version than the configured image."""
    majors.refuse(settings.images.postgres, stack.VOLUME, REMEDY)


def upgrade(settings: Configuration) -> str:
    """Upgrade the data by backup and restore; return where the old data is kept.

    After any failure, the old server serves the old data again; after a kill, set the old image first. The service
    cannot connect during the upgrade: a write between backup and restore would be lost. Raise Exit on failure.
    """
    image = settings.images.postgres
    new, there = majors.of_image(image), majors.of_volume(image, stack.VOLUME)
    old, folder = min(there, default=new), dumps.backup_folder(settings, "")
    kept = f"{majors.HOME}/before-{new}"
    if new <= old:
        raise Exit(f"the data is PostgreSQL {old}'s, and images/postgres is {new}: there is nothing to upgrade", code=1)
    if old not in [majors.of_image(each.image) for each in stack.containers("db")]:
        start = f"set images/postgres to PostgreSQL {old}, inv prod.up, and then upgrade"
        raise Exit(f"PostgreSQL {old} does not run, whose data is to be upgraded: {start}", code=1)
    shut_out = settings.with_values("the upgrade", POSTGRES_PASSWORD=secrets.token_hex())

    def move() -> None:
        stack.create_roles(shut_out)
        dumps.restore(stack.database(settings), manifest, folder)
        with shell.uninterrupted():
            _in_database(f"mv --no-target-directory {majors.HOME}/{old} {kept}")  # from here on, the new data is valid

    try:
        with step(f"backing up PostgreSQL {old}, without the service"):
            _in_database(f"rm -rf {majors.HOME}/{new}")  # left behind by a killed upgrade
            stack.create_roles(shut_out)
            stack.sql(settings["APPLICATION_DB"], DISCONNECT)
            manifest = dumps.create(stack.database(settings), folder)
        with step(f"restoring into PostgreSQL {new}"):
            replacement.replace(settings, "db", finish=move)
    except BaseException:
        with shell.uninterrupted():
            _in_database(f"test ! -e {majors.HOME}/{old}/docker/PG_VERSION || rm -rf {majors.HOME}/{new}")
            stack.give_roles(settings)
        raise
    stack.give_roles(settings)
    return f"the old data is kept in {kept} of the volume {stack.VOLUME}, and as a backup in {paths.display(folder)}"


def _in_database(command: str) -> None:
    shell.read(["docker", "exec", "--user", "postgres", stack.only("db").id, "sh", "-c", command])
