"""`inv cloud.exec`: a command beside the service on AWS, as `inv run` has it here."""

import math

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import shell
from ops.cloud import stage
from ops.progress import step


@task(name="exec", help={"command": "as you would type it, in quotes; AWS keeps it and what it says, so no secret"})
def execute(_: Context, command: str) -> None:
    """Run a command in a container of its own on AWS.

    The container is as the service has them; what it says is shown, and its
    exit code is the task's.

    Example: inv cloud.exec "flask --app wsgi prune"
    """
    if not command.strip():
        raise Exit("which command? inv cloud.exec 'flask --app wsgi prune'", code=1)
    with stage.looking() as cloud:
        once = cloud.command()
        with shell.interrupted("the command was interrupted, and ECS told to stop it"), step("running the command"):
            started = once.start(["sh", "-ec", command])
            try:
                once.follow(started, math.inf, shell.say)
            except KeyboardInterrupt:
                once.stop(started)
                raise
