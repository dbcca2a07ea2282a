"""Run of one drill, from setup to verdict."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from groundwork.production import stack
from groundwork.production.drill import audit, impact
from groundwork.production.drill.audit import Audit
from groundwork.production.drill.fault_run import Strike
from groundwork.production.drill.faults import FEW, MANY, Fault
from groundwork.production.drill.impact import Impact
from groundwork.production.drill.stage import Stage, inv, put_back, wait_until
from groundwork.production.load.attempt import Attempt
from groundwork.production.load.background import under_load
from groundwork.production.load.client import Client, Plan
from groundwork.system import shell
from groundwork.system.errors import Exit
from groundwork.system.progress import step

TRIES = 5
"""Maximum runs of a fault until it disturbs a request."""


@dataclass(frozen=True)
class Outcome:
    impacts: Sequence[Impact]
    attempts: Sequence[Attempt]
    audit: Audit

    @property
    def passed(self) -> bool:
        return self.audit.passed and not any(each.problems for each in self.impacts)


def hold(stage: Stage, faults: Sequence[Fault], plan: Plan) -> Outcome:
    """Run the faults under load and restore the stack. Delete the written data unless the audit fails."""
    client = Client(plan, stage.traffic)
    with put_back():
        _prepare({fault.name for fault in faults})
        try:
            client.token = stack.token(stage.replica().id, stage.traffic.clerk)
            stage.traffic.prepare()
            with under_load(client):
                with step(f"{plan.connections} connections, and nothing goes wrong yet"):
                    time.sleep(stage.seconds)
                strikes = [_strike(stage, fault, client) for fault in faults]
        except BaseException:
            with shell.uninterrupted():
                stage.traffic.forget()
            raise
        with step("looking up each write"):
            audited = audit.audit(stage.traffic, stage.traffic.find(), stage.traffic.broken_rules())
        if audited.passed:
            with step("deleting what was written"):
                stage.traffic.forget()
    impacts = [
        impact.of(strike, fault.expectation, client.attempts) for strike, fault in zip(strikes, faults, strict=True)
    ]
    return Outcome(impacts, client.attempts, audited)


def _prepare(names: set[str]) -> None:
    """Scale to the number of replicas that the first fault needs; at least two, if a fault affects one of them."""
    replicas = len(stack.containers("web"))
    if names & {"scale-up", "scale-down"}:
        inv("prod.scale", "--web", "1" if "scale-up" in names else str(MANY))
    elif replicas < FEW:
        inv("prod.scale", "--web", str(FEW))


def _strike(stage: Stage, fault: Fault, client: Client) -> Strike:
    """Repeat a fault that should have disturbed a request and did not. Return only the last strike."""
    for _ in range(TRIES):
        strike = _strike_once(stage, fault, client)
        if strike.problem or not strike.harm or impact.hits(strike, fault.expectation, client.attempts):
            break
        shell.note("it hit nothing")
    return strike


def _strike_once(stage: Stage, fault: Fault, client: Client) -> Strike:
    """Inject the fault. Wait until all requests from before its end have ended and a write is acknowledged again."""

    def is_over() -> bool:
        under_way = min(client.under_way.copy(), default=time.time())
        return under_way > strike.restored and impact.takes_writes_again(strike, client.attempts)

    shell.note(f"\n{fault.title}")
    strike = Strike(fault.title)
    try:
        strike.harm = fault.act(stage, strike)
        strike.restored = strike.restored or time.time()
        with step("quiet"):
            time.sleep(stage.seconds)
            wait_until(is_over)
    except Exit as failed:
        strike.problem = str(failed) or f"exit code {failed.code}"
        strike.restored = strike.restored or time.time()
    strike.ended = time.time()
    return strike
