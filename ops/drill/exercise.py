"""One drill from its beginning to its verdict."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from invoke.exceptions import Exit

from ops import shell, stack
from ops.drill import impact, ledger
from ops.drill.faults import FEW, Fault
from ops.drill.impact import Impact
from ops.drill.ledger import Audit
from ops.drill.stage import Stage, inv, put_back, wait_until
from ops.drill.strike import Strike
from ops.load.attempt import Attempt
from ops.load.background import under_load
from ops.load.client import Client, Plan
from ops.progress import step


@dataclass(frozen=True)
class Outcome:
    impacts: Sequence[Impact]
    attempts: Sequence[Attempt]
    audit: Audit

    @property
    def passed(self) -> bool:
        return self.audit.passed and not any(each.problems for each in self.impacts)


def hold(stage: Stage, faults: Sequence[Fault], plan: Plan) -> Outcome:
    """The stack is as it was on return. What was written is deleted, unless an order is missing or there twice."""
    client = Client(plan)
    with put_back():
        _prepare({fault.name for fault in faults})
        try:
            client.token = stack.token(stage.replica().id, client.shop.clerk)
            with under_load(client):
                with step(f"{plan.connections} connections, and nothing goes wrong yet"):
                    time.sleep(stage.seconds)
                strikes = [_strike(stage, fault, client) for fault in faults]
        except BaseException:
            with shell.uninterrupted():
                ledger.forget(stage.settings, client.shop)
            raise
        with step("looking up each order"):
            audit = ledger.audit(client.shop.orders, ledger.read(stage.settings, client.shop))
        if audit.passed:
            with step("deleting what was written"):
                ledger.forget(stage.settings, client.shop)
    impacts = [
        impact.of(strike, fault.expectation, client.attempts) for strike, fault in zip(strikes, faults, strict=True)
    ]
    return Outcome(impacts, client.attempts, audit)


def _prepare(names: set[str]) -> None:
    """One replica where they are to become more; else two at least, or whoever loses one has none."""
    replicas = len(stack.containers("web"))
    if "scale-up" in names:
        inv("prod.scale", "--web", "1")
    elif replicas < FEW:
        inv("prod.scale", "--web", str(FEW))


def _strike(stage: Stage, fault: Fault, client: Client) -> Strike:
    """And the quiet after it, until what was under way is over."""
    shell.note(f"\n{fault.title}")
    strike = Strike(fault.title)
    try:
        fault.act(stage, strike)
    except Exit as failed:
        strike.problem = str(failed) or f"exit code {failed.code}"
    strike.restored = strike.restored or time.time()
    with step("quiet"):
        time.sleep(stage.seconds)
        wait_until(lambda: min(client.under_way.copy(), default=time.time()) > strike.restored)
    strike.ended = time.time()
    return strike
