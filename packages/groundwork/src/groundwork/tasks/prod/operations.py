"""Tasks `inv prod.…` on the running production stack: status, logs, exec, shell, backup, restore."""

import ssl
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from invoke.context import Context
from invoke.tasks import task

from groundwork.backups import dumps
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.production import images, rollout, stack
from groundwork.system import shell, table
from groundwork.system.errors import Exit
from groundwork.tasks.db.backup import BACKUP_HELP, write_backup

TIMEOUT_SECONDS = 5


@task
def status(_: Context) -> None:
    """Show containers, versions and health.

    It also shows the replicas behind the proxy, the database's revision and the
    kept images.

    Example: inv prod.status
    """
    settings = stack.known()
    containers = stack.containers(all_states=True)
    if not containers:
        raise Exit("the production stack is not running: inv prod.up starts it", code=1)
    rows = [("CONTAINER", "STATE", "HEALTH", "VERSION", "ADDRESS", "SINCE")]
    for each in containers:
        address = each.addresses.get("front") or each.addresses.get("data", "")
        rows.append((each.name, each.state, each.health, each.version, address, each.started[:19].replace("T", " ")))
    table.show(rows)
    running = {each.service for each in containers if each.state == "running"}
    shell.say("")
    shell.say(f"page      {stack.url(settings)} {_published(settings)}")
    if "proxy" in running:
        shell.say(f"proxy     forwards to {', '.join(_replica_addresses()) or 'no replica'}")
    if "db" in running:
        shell.say(f"database  {_revision(settings)}")
    serving, previous = {each.image for each in rollout.serving()}, images.pointed_at(images.PREVIOUS)
    kept = [
        f"{each.version}{' (current)' if each.id in serving else ' (previous)' if each.id == previous else ''}"
        for each in images.every()
    ]
    shell.say(f"images    {', '.join(kept)}")


@task(
    help={
        "follow": "print new lines until Ctrl-C",
        "request": "only the lines with this request id, from the response header X-Request-ID",
        "service": "only the lines of one service: db, migrate, web or proxy",
    }
)
def logs(_: Context, follow: bool = False, request: str = "", service: str = "") -> None:
    """Show the containers' logs.

    Example: inv prod.logs --service web --follow
    """
    settings = stack.known()
    arguments = ["logs", "--no-color" if request else "--timestamps"]
    command = stack.command(settings, *arguments, *(["--follow"] if follow else []), *([service] if service else []))
    with shell.interruptible():
        if not request:
            shell.serve(command, stack.variables(settings), stdin=stack.environments(settings))
            return
        found = False
        for line in _of_request(
            request, shell.stream_lines(command, stack.variables(settings), stack.environments(settings))
        ):
            shell.say(line)
            found = True
        if not found:
            raise Exit(f"no log line contains {request}: it may be older than the stored logs", code=1)


@task(name="exec", help={"command": "shell command, in quotes"})
def execute(_: Context, command: str) -> None:
    """Run a command in a replica of the service.

    Example: inv prod.exec "flask --app wsgi routes"
    """
    stack.known()
    _execute_in("web", "sh", "-c", command)


@task(name="shell")
def open_shell(_: Context) -> None:
    """Open psql with the service's database role.

    Example: inv prod.shell
    """
    settings = stack.known()
    _execute_in("db", "psql", "--username", settings["POSTGRES_USER"], settings["APPLICATION_DB"])


@task(help=BACKUP_HELP)
def backup(_: Context, folder: str = "", keep: str = "") -> None:
    """Write a backup of the database, without downtime.

    Example: inv prod.backup --keep 7
    """
    with shell.interruptible():
        write_backup(stack.database(stack.load()), folder, keep)


@task(help={"folder": "folder of the backup", "yes_i_mean": "the name of the database, to confirm"})
def restore(_: Context, folder: str, yes_i_mean: str = "") -> None:
    """Restore the database from a backup.

    The restored data is verified before it replaces the database.

    Example: inv prod.restore --folder ../backups/monday
    """
    settings = stack.load()
    name = settings["APPLICATION_DB"]
    if yes_i_mean != name:
        raise Exit(f"inv prod.restore would replace {name} of production: refused without --yes-i-mean {name}", code=1)
    source = Path(folder).resolve()
    manifest = dumps.read(source)
    with shell.interruptible():
        dumps.restore(stack.database(settings), manifest, source)
        stack.give_roles(settings)  # a dump holds the privileges on tables, not those on the database itself
    shell.say(manifest.restored_summary(name, source))
    if set(manifest.contents.revision.split()) != revisions.heads():
        shell.note(f"the database is at {manifest.contents.revision or 'no revision'}: inv prod.up migrates it")


def _of_request(request: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield the messages that contain the request id, with their continuation lines and without Compose's prefix."""
    matches: dict[str, bool] = {}
    for line in lines:
        container, _, message = line.rstrip().partition("| ")
        if not message.startswith("\t"):  # PostgreSQL indents continuation lines with a tab
            matches[container] = request in message
        if matches.get(container):
            yield message


def _published(settings: Configuration) -> str:
    """Return whether this machine's published port responds; a healthy proxy says nothing about the engine's port."""
    unverified = ssl._create_unverified_context()  # noqa: S323  the certificate may be for another name
    try:
        with urlopen(f"{stack.url(settings)}/proxyz", timeout=TIMEOUT_SECONDS, context=unverified):  # noqa: S310
            return "responds"
    except HTTPError:
        return "responds"
    except OSError as error:
        return f"does not respond: {getattr(error, 'reason', error)}; run docker restart on the proxy's container"


def _replica_addresses() -> list[str]:
    """Return the replicas' addresses as the proxy resolves them."""
    output = shell.read(["docker", "exec", stack.only("proxy").id, "getent", "ahostsv4", stack.SERVING])
    return sorted({line.split()[0] for line in output.splitlines()})


def _revision(settings: Configuration) -> str:
    current = stack.sql(settings["APPLICATION_DB"], "SELECT string_agg(version_num, ', ') FROM alembic_version").strip()
    revision = revisions.load_all().get(current)
    position = f"is at {revision}" if revision else f"is at {current or 'no migration'}"
    return f"{position}; this checkout's head is {', '.join(sorted(revisions.heads()))}"


def _execute_in(service: str, *command: str) -> None:
    """Run a command in the service's container, in the user's terminal if there is one."""
    terminal = ["--interactive", "--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else ["--interactive"]
    with shell.interruptible():
        shell.serve(["docker", "exec", *terminal, stack.only(service).id, *command], {})
