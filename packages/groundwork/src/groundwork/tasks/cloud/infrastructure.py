"""Task `inv cloud.exec`: a command in a one-off ECS task."""

import math

from invoke.context import Context
from invoke.tasks import task

from groundwork.cloud import context
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.system.progress import step


@task(
    name="exec",
    help={"command": "shell command, in quotes; AWS stores it and its output, so it must contain no secret"},
)
def execute(_: Context, command: str) -> None:
    """Run a command in a one-off ECS task.

    It uses the service's image, shows the output and returns the exit code.

    Example: inv cloud.exec "flask --app wsgi prune"
    """
    if not command.strip():
        raise Exit("no command given, as in: inv cloud.exec 'flask --app wsgi prune'", code=1)
    with context.looking() as cloud:
        one_off = cloud.command()
        with shell.on_interrupt("interrupted: ECS was asked to stop the command"), step("running the command"):
            started = one_off.start(["sh", "-ec", command])
            try:
                one_off.follow(started, math.inf, shell.say)
            except KeyboardInterrupt:
                one_off.stop(started)
                raise
