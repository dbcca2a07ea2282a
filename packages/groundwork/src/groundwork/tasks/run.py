"""Task `inv run`: a command with the configuration in its environment."""

from invoke.context import Context
from invoke.tasks import task

from groundwork.configuration import loader
from groundwork.postgresql import database
from groundwork.system import shell


@task(help={"command": "shell command, in quotes"})
def run(_: Context, command: str) -> None:
    """Run a command with the configured environment.

    The working directory is the root of the project.

    Example: inv run "flask routes"
    """
    settings = loader.load()
    running = database.find_running(settings)
    shell.execute(command, (running.configuration if running else settings).environment)
