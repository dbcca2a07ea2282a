"""`inv prod.…`, what is done on the production stack while it serves: looking, asking, keeping, bringing back."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import backups, images, migrations, shell, stack, table
from ops.configuration import Configuration
from ops.database import Database


@task
def status(_: Context) -> None:
    """Show who serves, in which version, and how it is.

    The containers, their health and version, whom the proxy asks, and at which
    migration the database is.

    Example: inv prod.status
    """
    settings = stack.known()
    there = stack.containers(all_states=True)
    if not there:
        raise Exit("the production stack does not run: inv prod.up starts it", code=1)
    rows = [("CONTAINER", "STATE", "HEALTH", "VERSION", "ADDRESS", "SINCE")]
    for each in there:
        address = each.addresses.get("front") or each.addresses.get("data", "")
        rows.append((each.name, each.state, each.health, each.version, address, each.started[:19].replace("T", " ")))
    table.show(rows)
    running = {each.service for each in there if each.state == "running"}
    shell.say("")
    shell.say(f"page      {stack.url(settings)}")
    if "proxy" in running:
        shell.say(f"proxy     asks {', '.join(_resolved()) or 'nobody'}")
    if "db" in running:
        shell.say(f"database  {_revision(settings)}")
    serving, before = images.pointed_at(stack.RELEASED), images.pointed_at(images.PREVIOUS)
    kept = [
        f"{each.version}{' (serves)' if each.id == serving else ' (before)' if each.id == before else ''}"
        for each in images.every()
    ]
    shell.say(f"images    {', '.join(kept)}")


@task(
    help={
        "follow": "go on until Ctrl-C",
        "request": "only the lines with this id: nginx answers each request with one, in X-Request-ID",
        "service": "only that one's: db, migrate, web or proxy",
    }
)
def logs(_: Context, follow: bool = False, request: str = "", service: str = "") -> None:
    """Show what the containers say.

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
        for line in _of_request(request, shell.lines(command, stack.variables(settings), stack.environments(settings))):
            shell.say(line)
            found = True
        if not found:
            raise Exit(f"no line has {request}: is it older than the logs that are kept?", code=1)


@task(name="exec", help={"command": "as you would type it, in quotes"})
def execute(_: Context, command: str) -> None:
    """Run a command in a replica of the service.

    Example: inv prod.exec "flask --app wsgi routes"
    """
    stack.known()
    _serve_in("web", "sh", "-c", command)


@task(name="shell")
def open_shell(_: Context) -> None:
    """Open psql on the database, as the service's role.

    Example: inv prod.shell
    """
    settings = stack.known()
    _serve_in("db", "psql", "--username", settings["POSTGRES_USER"], settings["APPLICATION_DB"])


@task(help={"folder": "where to; by default a new one in .local/backups"})
def backup(_: Context, folder: str = "") -> None:
    """Write a backup of the database, while it serves.

    Example: inv prod.backup --folder ../backups/monday
    """
    with shell.interruptible():
        found = _database(stack.load())
        place = backups.place(found.configuration, folder)
        made = backups.make(found, place)
    shell.say(made.kept_in(place))


@task(help={"folder": "of the backup", "yes_i_mean": "the name of the database, to say that it is meant"})
def restore(_: Context, folder: str, yes_i_mean: str = "") -> None:
    """Put a backup in the place of the database.

    Once what came out of it is what went in.

    Example: inv prod.restore --folder ../backups/monday
    """
    settings = stack.load()
    name = settings["APPLICATION_DB"]
    if yes_i_mean != name:
        raise Exit(f"inv prod.restore would replace {name} of production: refused without --yes-i-mean {name}", code=1)
    place = Path(folder).resolve()
    manifest = backups.read(place)
    with shell.interruptible():
        backups.restore(_database(settings), manifest, place)
        stack.give_roles(settings)  # a dump holds the rights on tables, not those on the database itself
    shell.say(manifest.brought_back_as(name, place))
    if set(manifest.contents.revision.split()) != migrations.heads():
        shell.note(f"it is at {manifest.contents.revision or 'no revision'}: inv prod.up migrates it")


def _of_request(request: str, lines: Iterable[str]) -> Iterator[str]:
    """Those with its id, without the container that Compose puts before each, and what goes on after them."""
    wanted: dict[str, bool] = {}
    for line in lines:
        container, _, said = line.rstrip().partition("| ")
        if not said.startswith("\t"):  # with which PostgreSQL begins the further lines of a statement
            wanted[container] = request in said
        if wanted.get(container):
            yield said


def _database(settings: Configuration) -> Database:
    """As its owner, from this machine. Raises Exit where it does not run, or cannot be reached from here."""
    address = stack.only("db").addresses["data"]
    if sys.platform != "linux":
        raise Exit(
            "containers can be reached by their address on Linux only: do this on the machine that serves", code=1
        )
    reached = settings.as_owner().changed("the production stack", POSTGRES_HOST=address)
    return Database(reached, "PostgreSQL of the production stack")


def _resolved() -> list[str]:
    """The addresses under which the proxy finds the replicas."""
    listed = shell.read(["docker", "exec", stack.only("proxy").id, "getent", "ahostsv4", stack.SERVING])
    return sorted({line.split()[0] for line in listed.splitlines()})


def _revision(settings: Configuration) -> str:
    current = stack.sql(settings["APPLICATION_DB"], "SELECT string_agg(version_num, ', ') FROM alembic_version").strip()
    known = migrations.every().get(current)
    what = f"is at {known}" if known else f"is at {current or 'no migration'}"
    return f"{what}; this checkout's head is {', '.join(sorted(migrations.heads()))}"


def _serve_in(service: str, *command: str) -> None:
    """In the user's terminal, where there is one."""
    terminal = ["--interactive", "--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else ["--interactive"]
    with shell.interruptible():
        shell.serve(["docker", "exec", *terminal, stack.only(service).id, *command], {})
