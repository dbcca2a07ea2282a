"""Task `inv dev`: the development server and its PostgreSQL, with the starter data."""

from invoke.context import Context
from invoke.tasks import task

from groundwork import project_commands
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.migrations import revisions
from groundwork.postgresql import compose, database
from groundwork.scenarios import workspace
from groundwork.system import paths, ports, shell
from groundwork.system.errors import Exit
from groundwork.tasks import arguments


@task(help={"port": "port of the server; by default FLASK_RUN_PORT, or the next free port"})
def dev(_: Context, port: str = "") -> None:
    """Start the development server and its PostgreSQL.

    Ctrl-C stops both; the data stays.

    Example: inv dev --port 5001
    """
    settings = loader.load()
    if settings["FLASK_CONFIG"] != "development":
        raise Exit(f"inv dev runs with the development configuration only: APPLICATION_CONFIG={settings.name}", code=1)
    with shell.interruptible(), database.available(settings) as found:
        if not found.started:
            shell.note(f"using {found.description}, which is already running")
        settings = found.configuration
        wanted = arguments.number("port", port) if port else int(settings["FLASK_RUN_PORT"])
        free = ports.claim_with_notice(wanted, "the development server")
        settings = settings.with_values("the next free port", FLASK_RUN_PORT=free)
        revisions.upgrade(settings)
        workspace.load_starter(settings)
        if found.in_container:
            _build(settings)
        shell.say(welcome(settings))
        if found.in_container:
            # `run` starts a new container; `up` would replace that of an inv dev in another terminal.
            serve = compose.command("run", "--rm", "--no-deps", "--service-ports", "--no-TTY", "web")
            shell.serve(serve, compose.variables(settings), stdin=compose.web_override(settings))
        else:
            shell.serve(project_commands.serve(), settings.environment)


def welcome(settings: Configuration) -> str:
    command, _ = database.psql_command(settings)
    password = paths.display(paths.LOCAL / "secrets" / settings.name / "POSTGRES_PASSWORD")
    page = f"http://localhost:{settings['FLASK_RUN_PORT']}"
    psql = " ".join(["psql", *command[1:]])
    documented = f"\n  API   {page}/api/docs" if (paths.ROOT / "openapi.json").is_file() else ""
    return f"""
  page  {page}{documented}
  psql  PGPASSWORD=$(cat {password}) {psql}
        (or: inv db.shell)
"""


def _build(settings: Configuration) -> None:
    """Build the image; show the progress of the first build, which is slow."""
    if compose.has_image("web"):
        compose.run(settings, "build", "--quiet", "web")
    else:
        shell.note("building the image of the development server")
        compose.run(settings, "build", "web")
