"""Experiments of the HTTP benchmark, with contenders and targets."""

from packages.groundwork.benchmarks.http.memory import FIRST, Memory
from packages.groundwork.benchmarks.http.variants import LAYERS, OURS, PLAIN
from packages.groundwork.benchmarks.measure import Aim, Contender, Experiment
from packages.groundwork.benchmarks.production.experiments import REQUESTS, UNITS
from packages.groundwork.benchmarks.production.loads import CONNECTIONS, PER_SECOND, READING, Loads
from packages.groundwork.benchmarks.production.stacks import Variant
from packages.groundwork.benchmarks.production.turns import Turns

OF_PLAIN = 1.5
DEAREST = 1.1
GROWTH = 1.2


def reading(loads: Loads, orders: int) -> Experiment:
    turns = Turns(loads.reads, [OURS])
    return Experiment(
        "http-reads",
        "Reading orders",
        f"{REQUESTS[READING]} by a member of the staff, {CONNECTIONS} keep-alive connections, {orders:,} orders; one "
        "replica behind our nginx. The naive route loads users, lines and products one by one, as the ORM does without "
        "loading options; it has no authentication, validation, logging or metrics.",
        UNITS[PER_SECOND],
        [turns.contender(each, f"{READING}: {PER_SECOND}") for each in (PLAIN, OURS)],
        [_against(PLAIN, OF_PLAIN)],
    )


def layers(loads: Loads) -> Experiment:
    turns = Turns(loads.reads, [OURS])
    return Experiment(
        "http-layers",
        "What each layer costs",
        "The same request to our service, with and without one of its layers. A variant with fewer requests than ours "
        "is random variation: nothing gets slower without a layer.",
        UNITS[PER_SECOND],
        [turns.contender(each, f"{READING}: {PER_SECOND}") for each in (OURS, *LAYERS)],
        [_price(each) for each in LAYERS],
    )


def remembering(memory: Memory, requests: int) -> Experiment:
    """Return the memory experiment. It has one round, because both figures come from the same process."""
    first, last = (f"after {count:,} requests" for count in (FIRST, requests))
    return Experiment(
        "http-memory",
        "The memory of a worker",
        "Resident memory of one process; reads, orders and refused requests alternate.",
        "MB",
        [Contender(first, memory.at_first, ours=True), Contender(last, memory.at_last)],
        [Aim(last, lambda m: m.ratio(last, first), GROWTH)],
        rounds=1,
    )


def _against(other: Variant, least: float) -> Aim:
    return Aim(f"against {other.name}", lambda m: m.ratio(OURS.name, other.name), least, at_least=True)


def _price(layer: Variant) -> Aim:
    return Aim(layer.name, lambda m: m.ratio(layer.name, OURS.name), DEAREST)
