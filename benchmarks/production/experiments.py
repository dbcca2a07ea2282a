"""What is measured against what, and what was set out to be reached."""

from collections.abc import Sequence
from statistics import median

from benchmarks.measure import Aim, Contender, Experiment
from benchmarks.production import variants
from benchmarks.production.loads import (
    BESIDE,
    CONNECTIONS,
    MIDDLE,
    ORDERING,
    ORDERS,
    PER_SECOND,
    READING,
    SLOW,
    WAITING,
    Loads,
)
from benchmarks.production.starts import BARE, CHANGED, UNCHANGED, UP, Starts
from benchmarks.production.turns import Turns
from benchmarks.production.variants import NGINX_ALONE, OURS, TUTORIAL, TUTORIAL_BY_ORM

UNITS = {PER_SECOND: "requests/s", MIDDLE: "p50, ms", SLOW: "p99, ms"}
REQUESTS = {READING: "`GET /api/orders?limit=20`", ORDERING: "`POST /api/orders`"}
SHARE_OF_A_REPLICA = 0.25  # of a processor


def ceiling(loads: Loads) -> Experiment:
    return Experiment(
        "production-client",
        "What the client can send",
        "Its reads, to an nginx that answers them from a file. The client shares the processors with what it measures.",
        "requests/s",
        [Contender(NGINX_ALONE.name, lambda: loads.of_nginx_alone(NGINX_ALONE), ours=True)],
    )


def whole_stack(loads: Loads) -> list[Experiment]:
    turns = Turns(loads.reads_and_orders, [OURS])
    return [
        Experiment(
            f"production-{kind}-{figure.partition('/')[0]}",
            f"The whole stack, {request.replace('`', '')}",
            f"{request}, {CONNECTIONS} connections that are kept, {ORDERS:,} orders in the database.",
            UNITS[figure],
            [turns.contender(each, f"{kind}: {figure}") for each in (TUTORIAL_BY_ORM, TUTORIAL, OURS)],
            [*_against_the_tutorial(figure), *([_against_the_client(loads)] if (kind, figure) == FIRST else [])],
        )
        for kind, request in REQUESTS.items()
        for figure in UNITS
    ]


FIRST = (READING, PER_SECOND)


def _against_the_tutorial(figure: str) -> list[Aim]:
    def against(tutorial: str) -> Aim:
        sentence = f"{figure} against {tutorial}"
        if figure == PER_SECOND:
            return Aim(sentence, lambda m: m.ratio(OURS.name, tutorial), 2.3, at_least=True)
        return Aim(sentence, lambda m: m.ratio(OURS.name, tutorial), 0.35)

    return [] if figure == MIDDLE else [against(TUTORIAL_BY_ORM.name), against(TUTORIAL.name)]


def _against_the_client(loads: Loads) -> Aim:
    return Aim(
        "what the client can send against it", lambda m: median(loads.ceiling) / m.typical(OURS.name), 3, at_least=True
    )


def worker_classes(loads: Loads) -> list[Experiment]:
    turns = Turns(loads.reads_beside_orders_that_wait, [variants.TAKEN])
    named = [
        (f"{READING}: {PER_SECOND}", "Servers: reads", f"{REQUESTS[READING]}."),
        (f"{READING}: {SLOW}", "Servers: slow reads", f"{REQUESTS[READING]}."),
        (
            f"{BESIDE}: {PER_SECOND}",
            f"Servers: reads, while {WAITING} orders wait",
            f"{REQUESTS[READING]}, while {WAITING} orders wait for goods that another transaction has locked.",
        ),
    ]
    return [
        Experiment(
            f"production-servers-{number}",
            title,
            f"{about} One replica with {variants.PROCESSES} processes behind our nginx; processes × threads.",
            UNITS[figure.rpartition(": ")[2]],
            [turns.contender(each, figure) for each in variants.SERVERS],
        )
        for number, (figure, title, about) in enumerate(named, 1)
    ]


def growth(loads: Loads, replicas: Sequence[int] = (1, 2, 4)) -> list[Experiment]:
    stacks = [variants.of_replicas(count, SHARE_OF_A_REPLICA) for count in replicas]
    turns = Turns(loads.reads, stacks)
    return [
        Experiment(
            f"production-growth-{figure.partition('/')[0]}",
            "Growth by replicas",
            f"{REQUESTS[READING]}. A replica may use {SHARE_OF_A_REPLICA} of a processor, so that all of them together "
            "leave one to nginx, PostgreSQL and the client.",
            UNITS[figure],
            [turns.contender(each, f"{READING}: {figure}") for each in stacks],
        )
        for figure in (PER_SECOND, SLOW)
    ]


def starting(starts: Starts, replicas: int) -> Experiment:
    return Experiment(
        "production-start",
        f"Starting the stack with {replicas} replicas",
        "The images are built and the volumes are there; until all is healthy.",
        "s",
        [Contender(BARE, starts.bare), Contender(UP, starts.up, ours=True)],
        [Aim(f"{UP} against {BARE}", lambda m: m.ratio(UP, BARE), 1.3)],
    )


def building(starts: Starts) -> Experiment:
    return Experiment(
        "production-build",
        "`inv prod.build`".replace("`", ""),
        "The image was built before.",
        "s",
        [Contender(UNCHANGED, starts.build), Contender(CHANGED, starts.rebuild, ours=True)],
        [Aim(CHANGED, lambda m: m.typical(CHANGED), 5, "s")],
    )
