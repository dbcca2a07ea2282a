"""`inv run`: any command, with the configuration in its environment."""

from invoke.context import Context
from invoke.tasks import task

from ops import configuration, database, shell


@task(help={"command": "as you would type it, in quotes"})
def run(_: Context, command: str) -> None:
    """Run a command at the root of the project with the configuration in its environment."""
    settings = configuration.load()
    running = database.find(settings)
    shell.execute(command, (running.configuration if running else settings).environment)
