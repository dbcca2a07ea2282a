"""`inv run`: any command, with the configuration in its environment."""

from invoke.context import Context
from invoke.tasks import task

from ops import configuration, database, shell


@task(help={"command": "as you would type it, in quotes"})
def run(_: Context, command: str) -> None:
    """Run a command with the settings in its environment.

    It runs at the root of the project.

    Example: inv run "flask routes"
    """
    settings = configuration.load()
    running = database.find(settings)
    shell.execute(command, (running.configuration if running else settings).environment)
