"""`inv prod.drill`, from its options to its exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from ops import options, project, shell, stack
from ops.alone import alone
from ops.drill.stage import Stage, inv

LOCK = project.LOCAL / "drill.lock"
PAGE = project.LOCAL / "reports" / "drill.html"
ATTEMPTS = PAGE.with_suffix(".csv")
SHARE_OF_THE_LIMIT = 0.8


@task(
    help={
        "faults": "some of them, as in worker,database; by default all",
        "seconds": "how long a fault lasts that has no end of its own, and the quiet after each",
        "connections": "how many are used at once",
        "rate": "requests a second; 0 is as many as are answered",
    }
)
def drill(_: Context, faults: str = "", seconds: str = "10", connections: str = "50", rate: str = "100") -> None:
    """Break the stack under load, and look up each order.

    It does what goes wrong in production, and looks up every order that was
    acknowledged.

    Example: inv prod.drill --faults worker,database
    """
    stage = Stage(stack.load(), options.number("seconds", seconds))

    from ops.drill import exercise, page, table
    from ops.drill.faults import chosen
    from ops.load import attempt
    from ops.load.client import Plan

    # Below the limit of the stack as it is configured: with another limit it would be another stack that is tried.
    writes = SHARE_OF_THE_LIMIT * float(stack.variables(stage.settings)["PROXY_WRITES_PER_SECOND"])
    counts = options.number("connections", connections), options.number("rate", rate, least=0)
    wanted, plan = chosen(faults), Plan(stack.url(stage.settings), *counts, writes)
    with shell.interruptible(), alone(LOCK, "another drill is being held on this stack"), _running():
        outcome = exercise.hold(stage, wanted, plan)
    table.show(outcome)
    page.write(PAGE, outcome)
    attempt.write(ATTEMPTS, outcome.attempts)
    shell.say(f"timeline: {PAGE.as_uri()}\nattempts: {project.shown(ATTEMPTS)}")
    if not outcome.passed:
        raise Exit(code=1)


@contextmanager
def _running() -> Iterator[None]:
    """The stack: the one that runs, else one that is started, and ended again."""
    if stack.containers("web"):
        yield
        return
    try:
        inv("prod.up")
        yield
    finally:
        with shell.uninterrupted():
            inv("prod.down")
