"""Task `inv prod.drill`: fault injection on the production stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

from invoke.context import Context
from invoke.tasks import task

from groundwork import contract
from groundwork.production import stack
from groundwork.production.drill.stage import Stage, inv
from groundwork.system import paths, shell
from groundwork.system.errors import Exit
from groundwork.system.locks import exclusive
from groundwork.tasks import arguments

LOCK = paths.LOCAL / "drill.lock"
PAGE = paths.LOCAL / "reports" / "drill.html"
ATTEMPTS = PAGE.with_suffix(".csv")
SHARE_OF_THE_LIMIT = 0.8


@task(
    help={
        "faults": "comma-separated faults, as in worker,database; by default all",
        "seconds": "duration of a fault without a fixed end, and of the pause after each fault",
        "connections": "number of concurrent connections",
        "rate": "requests per second; 0 for no limit",
    }
)
def drill(_: Context, faults: str = "", seconds: str = "10", connections: str = "50", rate: str = "100") -> None:
    """Inject faults under load and audit every write.

    It fails if a fault hit nothing, if requests fail in a way that the fault does
    not explain, or if the database differs from what was sent.

    Example: inv prod.drill --faults worker,database
    """
    settings, duration = stack.load(), arguments.number("seconds", seconds)

    from groundwork.production.drill import page, runner, table
    from groundwork.production.drill.faults import chosen
    from groundwork.production.load import attempt
    from groundwork.production.load.client import Plan

    mark = uuid4().hex[:8]
    run_sql = partial(stack.sql, settings["APPLICATION_DB"])
    traffic = contract.import_part(f"{contract.PROJECT.traffic}:Load")(mark, f"load-{mark}@example.com", run_sql)
    stage = Stage(settings, duration, traffic)

    # Stay below the configured rate limit instead of raising it, so that the drill tests the stack as it is deployed.
    writes = SHARE_OF_THE_LIMIT * float(stack.variables(settings)["PROXY_WRITES_PER_SECOND"])
    counts = arguments.number("connections", connections), arguments.number("rate", rate, least=0)
    wanted, plan = chosen(faults), Plan(stack.url(settings), *counts, writes)
    with shell.interruptible(), exclusive(LOCK, "another drill is being held on this stack"), _running():
        outcome = runner.hold(stage, wanted, plan)
    table.show(outcome)
    page.write(PAGE, outcome)
    attempt.write(ATTEMPTS, outcome.attempts)
    shell.say(f"timeline: {PAGE.as_uri()}\nattempts: {paths.display(ATTEMPTS)}")
    if not outcome.passed:
        raise Exit(code=1)


@contextmanager
def _running() -> Iterator[None]:
    """Use the running stack; if there is none, start one and stop it afterwards."""
    if stack.containers("web"):
        yield
        return
    try:
        inv("prod.up")
        yield
    finally:
        with shell.uninterrupted():
            inv("prod.down")
