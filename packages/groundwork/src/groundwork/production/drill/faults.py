"""Faults of a drill, in the order of their injection."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from groundwork.production import stack
from groundwork.production.drill import fault_injection
from groundwork.production.drill.fault_run import (
    AWAY,
    IN_FLIGHT,
    LOCKED_FOR_A_WHILE,
    NOTHING,
    SILENT_FOR_A_WHILE,
    UNAVAILABLE_FOR_A_WHILE,
    UNAVAILABLE_FOR_WRITES,
    UNREACHABLE_FOR_A_WHILE,
    Expectation,
    Strike,
)
from groundwork.production.drill.stage import Stage, inv, wait_until
from groundwork.production.stack import Container
from groundwork.system import shell
from groundwork.system.errors import Exit

FEW, MANY = 2, 5
TAG = "drill"

DATABASE_ANSWERS = "until pg_isready --quiet --host 127.0.0.1 --username postgres; do sleep 0.02; done; date +%s.%N"


@dataclass(frozen=True)
class Fault:
    name: str
    title: str
    expectation: Expectation
    act: Callable[[Stage, Strike], str]
    """Inject the fault, record its times, and return how the harm was observed; empty if it was not.

    Return when everything works again. Raise Exit if the fault cannot be injected.
    """


def scale_up(_: Stage, __: Strike) -> str:
    return _replaced("prod.scale", "--web", str(MANY))


def scale_down(_: Stage, __: Strike) -> str:
    return _replaced("prod.scale", "--web", str(FEW))


def deploy(_: Stage, __: Strike) -> str:
    return _replaced("prod.deploy", "--tag", TAG)


def roll_back(_: Stage, __: Strike) -> str:
    return _replaced("prod.rollback")


def deploy_during_a_lock(stage: Stage, strike: Strike) -> str:
    traffic = stage.traffic
    with ThreadPoolExecutor(1) as pool:
        lock = pool.submit(traffic.sql, fault_injection.LOCK % (traffic.TABLE, stage.seconds))
        wait_until(lambda: lock.done() or int(traffic.sql(fault_injection.WAITING % traffic.TABLE)) > 0)
        seen = "" if lock.done() else "requests wait for the lock"
        replaced = deploy(stage, strike)
        strike.restored = float(lock.result())
    return seen and replaced and f"{seen}; {replaced}"


def kill_a_worker(stage: Stage, strike: Strike) -> str:
    strike.struck = fault_injection.crash(stage.settings, stage.replica(), worker=True)
    return "its process is gone"


def kill_a_worker_of_the_proxy(stage: Stage, strike: Strike) -> str:
    strike.struck = fault_injection.crash(stage.settings, stack.only("proxy"), worker=True)
    return "its process is gone"


def kill_a_replica(stage: Stage, strike: Strike) -> str:
    replicas, container = len(stack.containers("web")), stage.replica()
    strike.struck = fault_injection.crash(stage.settings, container)
    stage.wait_until_ready(replicas)
    return _restarted(container)


def kill_the_proxy(stage: Stage, strike: Strike) -> str:
    container = stack.only("proxy")
    strike.struck = fault_injection.crash(stage.settings, container)
    wait_until(stage.answers)
    return _restarted(container)


def pause_a_replica(stage: Stage, strike: Strike) -> str:
    container = stage.replica()
    with fault_injection.paused(container):
        strike.struck = time.time()
        time.sleep(stage.seconds)
        states = {each.id: each.state for each in stack.containers("web")}
    return "it is paused" if states.get(container.id) == "paused" else ""


def restart_the_database(_: Stage, strike: Strike) -> str:
    container = stack.only("db")
    shell.read(["docker", "restart", container.id])
    return _database_is_back(container, strike)


def kill_the_database(stage: Stage, strike: Strike) -> str:
    container = stack.only("db")
    fault_injection.crash(stage.settings, container)
    wait_until(lambda: bool(_restarted(container)))
    return _database_is_back(container, strike)


def fill_a_replica(stage: Stage, _: Strike) -> str:
    with fault_injection.full(stage.replica()) as free:
        time.sleep(stage.seconds)
    return "0 bytes free" if free == "0" else ""


def fill_the_database(stage: Stage, strike: Strike) -> str:
    with fault_injection.full_disk(stage.traffic, stack.only("db")) as free:
        strike.struck = time.time()
        time.sleep(stage.seconds)
    return "0 bytes free" if free == "0" else ""


def cut_off_a_replica(stage: Stage, strike: Strike) -> str:
    return _cut_off(stage, strike, [stage.replica()])


def cut_off_all(stage: Stage, strike: Strike) -> str:
    return _cut_off(stage, strike, stack.containers("web"))


def _cut_off(stage: Stage, strike: Strike, replicas: Sequence[Container]) -> str:
    with fault_injection.cut_off(replicas):
        strike.struck = time.time()
        reaching = [each for each in replicas if fault_injection.reaches_database(each)]
        time.sleep(stage.seconds)
    return "" if reaching else "no way to the database"


def _replaced(*task: str) -> str:
    """Run the task; return how many replicas were added and removed."""
    before = {each.id for each in stack.containers("web")}
    inv(*task)
    after = {each.id for each in stack.containers("web")}
    counts = (
        f"{len(after - before)} new" if after - before else "",
        f"{len(before - after)} gone" if before - after else "",
    )
    return ", ".join(filter(None, counts))


def _database_is_back(container: Container, strike: Strike) -> str:
    strike.restored = float(shell.read(["docker", "exec", container.id, "sh", "-c", DATABASE_ANSWERS]))
    return _restarted(container)


def _restarted(container: Container) -> str:
    """Return when the container was restarted; empty if it was not."""
    started = {each.id: each.started for each in stack.containers(container.service) if each.state == "running"}
    now = started.get(container.id, container.started)
    return f"started again {now[11:19]}" if now != container.started else ""


EVERY = [
    Fault("scale-up", f"scale 1 → {MANY}", NOTHING, scale_up),
    Fault("scale-down", f"scale {MANY} → {FEW}", NOTHING, scale_down),
    Fault("deploy", "deploy", NOTHING, deploy),
    Fault("rollback", "roll back", NOTHING, roll_back),
    Fault("worker", "kill a worker", IN_FLIGHT, kill_a_worker),
    Fault("replica", "kill a replica", IN_FLIGHT, kill_a_replica),
    Fault("pause", "pause a replica", SILENT_FOR_A_WHILE, pause_a_replica),
    Fault("proxy-worker", "kill a worker of the proxy", IN_FLIGHT, kill_a_worker_of_the_proxy),
    Fault("proxy", "kill the proxy", AWAY, kill_the_proxy),
    Fault("database", "restart the database", UNAVAILABLE_FOR_A_WHILE, restart_the_database),
    Fault("database-crash", "kill the database", UNAVAILABLE_FOR_A_WHILE, kill_the_database),
    Fault("disk", "fill a replica's tmpfs", NOTHING, fill_a_replica),
    Fault("database-disk", "fill the database's disk", UNAVAILABLE_FOR_WRITES, fill_the_database),
    Fault("network", "cut a replica off from the database", UNREACHABLE_FOR_A_WHILE, cut_off_a_replica),
    Fault("network-all", "cut all off from the database", UNREACHABLE_FOR_A_WHILE, cut_off_all),
    Fault("lock", "deploy while writes are locked", LOCKED_FOR_A_WHILE, deploy_during_a_lock),
]


def chosen(names: str) -> Sequence[Fault]:
    """Return the named faults, or all, in their order. Raise Exit for unknown names, or for rollback without deploy."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = {fault.name: fault for fault in EVERY}
    if unknown := [name for name in wanted if name not in known]:
        raise Exit(f"--faults: there is no {', '.join(unknown)}; there are {', '.join(known)}", code=1)
    if "rollback" in wanted and "deploy" not in wanted:
        raise Exit("--faults: rollback goes back from what deploy released: choose both", code=1)
    return [fault for fault in EVERY if not wanted or fault.name in wanted]
