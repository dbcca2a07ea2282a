"""`inv dev`: the development server, with a PostgreSQL beside it that has something in it to look at."""

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import compose, configuration, database, migrations, options, ports, project, shell
from ops.configuration import Configuration


@task(help={"port": "of the page; by default FLASK_RUN_PORT, or the next port that is free"})
def dev(_: Context, port: str = "") -> None:
    """Start the development server with its PostgreSQL.

    Ctrl-C ends both; the data stays.

    Example: inv dev --port 5001
    """
    settings = configuration.load()
    if settings["FLASK_CONFIG"] != "development":
        raise Exit(f"inv dev serves development only, and APPLICATION_CONFIG is {settings.name}", code=1)
    with shell.interruptible(), database.available(settings) as found:
        if not found.started:
            shell.note(f"using {found.described}, which runs already")
        settings = found.configuration
        wanted = options.number("port", port) if port else int(settings["FLASK_RUN_PORT"])
        free = ports.claim_aloud(wanted, "the development server")
        settings = settings.changed("the next free port", FLASK_RUN_PORT=free)
        migrations.upgrade(settings)
        shell.run(shell.python("scenarios", "starter"), settings.environment)
        if found.in_container:
            _build(settings)
        shell.say(welcome(settings))
        if found.in_container:
            # One container a call: `up` would replace the container of a server that runs in another terminal.
            serve = compose.command("run", "--rm", "--no-deps", "--service-ports", "--no-TTY", "web")
            shell.serve(serve, compose.variables(settings), stdin=compose.environment_of_web(settings))
        else:
            shell.serve(shell.python("flask", "--app", "wsgi", "run"), settings.environment)


def welcome(settings: Configuration) -> str:
    command, _ = database.psql(settings)
    password = project.shown(project.LOCAL / "secrets" / settings.name / "POSTGRES_PASSWORD")
    page = f"http://localhost:{settings['FLASK_RUN_PORT']}"
    psql = " ".join(["psql", *command[1:]])
    return f"""
  page  {page}
  API   {page}/api/docs
  psql  PGPASSWORD=$(cat {password}) {psql}
        (or: inv db.shell)
"""


def _build(settings: Configuration) -> None:
    """Quiet where only the cache is asked; with its progress shown where it takes a while."""
    if compose.has_image("web"):
        compose.run(settings, "build", "--quiet", "web")
    else:
        shell.note("building the image of the development server")
        compose.run(settings, "build", "web")
