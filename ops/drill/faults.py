"""What goes wrong, in the order in which it does."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from invoke.exceptions import Exit

from ops import shell, stack
from ops.drill import harm
from ops.drill.stage import Stage, inv, wait_until
from ops.drill.strike import (
    AWAY,
    IN_FLIGHT,
    NOTHING,
    UNAVAILABLE_FOR_A_WHILE,
    UNREACHABLE_FOR_A_WHILE,
    Expectation,
    Strike,
)
from ops.stack import Container

FEW, MANY = 2, 5
TAG = "drill"

DATABASE_ANSWERS = "until pg_isready --quiet --host 127.0.0.1 --username postgres; do sleep 0.02; done; date +%s.%N"


@dataclass(frozen=True)
class Fault:
    name: str
    title: str
    expectation: Expectation
    act: Callable[[Stage, Strike], None]
    """Do it, and note when; returns when nothing is broken any more. Raises Exit where it cannot be done."""


def scale_up(_: Stage, __: Strike) -> None:
    inv("prod.scale", "--web", str(MANY))


def scale_down(_: Stage, __: Strike) -> None:
    inv("prod.scale", "--web", str(FEW))


def deploy(_: Stage, __: Strike) -> None:
    inv("prod.deploy", "--tag", TAG)


def roll_back(_: Stage, __: Strike) -> None:
    inv("prod.rollback")


def kill_a_worker(stage: Stage, strike: Strike) -> None:
    strike.struck = harm.kill_a_worker(stage.replica())


def kill_a_replica(stage: Stage, strike: Strike) -> None:
    replicas = len(stack.containers("web"))
    strike.struck = harm.crash(stage.settings, stage.replica())
    stage.wait_until_ready(replicas)


def kill_the_proxy(stage: Stage, strike: Strike) -> None:
    strike.struck = harm.crash(stage.settings, stack.only("proxy"))
    wait_until(stage.answers)


def restart_the_database(_: Stage, strike: Strike) -> None:
    container = stack.only("db").id
    shell.read(["docker", "restart", container])
    strike.restored = float(shell.read(["docker", "exec", container, "sh", "-c", DATABASE_ANSWERS]))


def fill_a_replica(stage: Stage, _: Strike) -> None:
    with harm.full(stage.replica()):
        time.sleep(stage.seconds)


def cut_off_a_replica(stage: Stage, strike: Strike) -> None:
    _cut_off(stage, strike, [stage.replica()])


def cut_off_all(stage: Stage, strike: Strike) -> None:
    _cut_off(stage, strike, stack.containers("web"))


def _cut_off(stage: Stage, strike: Strike, replicas: Sequence[Container]) -> None:
    with harm.cut_off(replicas):
        strike.struck = time.time()
        time.sleep(stage.seconds)


EVERY = [
    Fault("scale-up", f"scale 1 → {MANY}", NOTHING, scale_up),
    Fault("scale-down", f"scale {MANY} → {FEW}", NOTHING, scale_down),
    Fault("deploy", "deploy", NOTHING, deploy),
    Fault("rollback", "roll back", NOTHING, roll_back),
    Fault("worker", "kill a worker", IN_FLIGHT, kill_a_worker),
    Fault("replica", "kill a replica", IN_FLIGHT, kill_a_replica),
    Fault("proxy", "kill the proxy", AWAY, kill_the_proxy),
    Fault("database", "restart the database", UNAVAILABLE_FOR_A_WHILE, restart_the_database),
    Fault("disk", "fill a replica's tmpfs", NOTHING, fill_a_replica),
    Fault("network", "cut a replica off from the database", UNREACHABLE_FOR_A_WHILE, cut_off_a_replica),
    Fault("network-all", "cut all off from the database", UNREACHABLE_FOR_A_WHILE, cut_off_all),
]


def chosen(names: str) -> Sequence[Fault]:
    """Those named, or all, in their own order. Raises Exit where there is no such fault, or nothing to go back to."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = {fault.name: fault for fault in EVERY}
    if unknown := [name for name in wanted if name not in known]:
        raise Exit(f"--faults: there is no {', '.join(unknown)}; there are {', '.join(known)}", code=1)
    if "rollback" in wanted and "deploy" not in wanted:
        raise Exit("--faults: rollback goes back from what deploy released: choose both", code=1)
    return [fault for fault in EVERY if not wanted or fault.name in wanted]
