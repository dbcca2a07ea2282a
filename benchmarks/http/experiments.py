"""What is measured against what, and what was set out to be reached."""

from benchmarks.http.memory import FIRST, Memory
from benchmarks.http.variants import BARE, LAYERS, OURS, PLAIN
from benchmarks.measure import Aim, Contender, Experiment
from benchmarks.production.experiments import REQUESTS, UNITS
from benchmarks.production.loads import CONNECTIONS, ORDERING, PER_SECOND, READING, Loads
from benchmarks.production.stacks import Variant
from benchmarks.production.turns import Turns

OF_BARE, OF_PLAIN = 0.8, 2.3
DEAREST = 1.1
GROWTH = 1.2


def reading(loads: Loads, orders: int) -> Experiment:
    turns = Turns(loads.reads, [OURS])
    return Experiment(
        "http-reads",
        "Reading orders",
        f"{REQUESTS[READING]} by the staff, {CONNECTIONS} connections that are kept, {orders:,} orders; one replica "
        "behind our nginx. In a bare route nobody signs in, and nothing is checked, logged or counted.",
        UNITS[PER_SECOND],
        [turns.contender(each, f"{READING}: {PER_SECOND}") for each in (PLAIN, BARE, OURS)],
        [_against(BARE, OF_BARE), _against(PLAIN, OF_PLAIN)],
    )


def layers(loads: Loads) -> Experiment:
    turns = Turns(loads.reads, [OURS])
    return Experiment(
        "http-layers",
        "What each layer costs",
        "The same request, of ours and of what is ours but for one layer. What is less than ours is chance: without a "
        "layer nothing gets slower.",
        UNITS[PER_SECOND],
        [turns.contender(each, f"{READING}: {PER_SECOND}") for each in (OURS, *LAYERS)],
        [_price(each) for each in LAYERS],
    )


def ordering(loads: Loads) -> Experiment:
    turns = Turns(loads.keyed_orders, [OURS])
    return Experiment(
        "http-orders",
        "Placing orders",
        f"{REQUESTS[ORDERING]}, three lines, with an Idempotency-Key each; the transaction written by hand in a bare "
        "route does the same work, but that nobody signs in.",
        UNITS[PER_SECOND],
        [turns.contender(each, f"{ORDERING}: {PER_SECOND}") for each in (BARE, OURS)],
        [_against(BARE, OF_BARE)],
    )


def remembering(memory: Memory, requests: int) -> Experiment:
    """In one round: the second figure is of the process that the first was of."""
    first, last = (f"after {count:,} requests" for count in (FIRST, requests))
    return Experiment(
        "http-memory",
        "The memory of a worker",
        "Resident, of one process: reads, orders and refusals in turn.",
        "MB",
        [Contender(first, memory.at_first, ours=True), Contender(last, memory.at_last)],
        [Aim(last, lambda m: m.ratio(last, first), GROWTH)],
        rounds=1,
    )


def _against(other: Variant, least: float) -> Aim:
    return Aim(f"against {other.name}", lambda m: m.ratio(OURS.name, other.name), least, at_least=True)


def _price(layer: Variant) -> Aim:
    return Aim(layer.name, lambda m: m.ratio(layer.name, OURS.name), DEAREST)
