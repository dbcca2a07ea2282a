"""`inv run`: any command, with the configuration in its environment."""

import os
import subprocess

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import configuration, database, project, shell


@task(help={"command": "as you would type it, in quotes"})
def run(_: Context, command: str) -> None:
    """Run a command at the root of the project with the configuration in its environment."""
    settings = configuration.load()
    running = database.find(settings)
    environment = shell.environment((running.configuration if running else settings).environment)
    if os.name == "posix":  # in place of this process: the terminal, the signals and the exit code are the command's
        os.chdir(project.ROOT)
        os.execvpe("sh", ["sh", "-c", command], environment)  # noqa: S606  the user's own command line
    finished = subprocess.run(command, shell=True, cwd=project.ROOT, env=environment, check=False)  # noqa: S602  likewise
    raise Exit(code=finished.returncode)
