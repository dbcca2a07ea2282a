"""What is measured against what, and what was set out to be reached."""

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
from benchmarks.production.starts import BARE, CHANGED, REPLICAS, UNCHANGED, UP, Starts
from benchmarks.production.turns import Turns
from benchmarks.production.variants import IN_TURN, NGINX_ALONE, OURS, TUTORIAL, TUTORIAL_BY_ORM

UNITS = {PER_SECOND: "requests/s", MIDDLE: "p50, ms", SLOW: "p99, ms"}
TITLES = {PER_SECOND: "requests a second", MIDDLE: "p50", SLOW: "p99"}
REQUESTS = {READING: "`GET /api/orders?limit=20`", ORDERING: "`POST /api/orders`"}

TUTORIALS = (TUTORIAL_BY_ORM, TUTORIAL)
ABOUT = (
    "the service the same but where another way to read is named. The tutorial's servers: `gunicorn -w 4`, nginx with "
    "one process and a new connection for each request. Ours: what `inv prod.up` starts, but that an address may write "
    "without a limit."
)


def ceiling(loads: Loads) -> Experiment:
    return Experiment(
        "production-client",
        "What the client can send",
        "Its reads, to an nginx that answers them from a file. The client shares the processors with what it measures.",
        "requests/s",
        [Contender(NGINX_ALONE.name, lambda: loads.of_nginx_alone(NGINX_ALONE), ours=True)],
    )


def whole_stack(loads: Loads) -> list[Experiment]:
    """Orders last: the newest are what is read."""
    turns = {READING: Turns(loads.reads, [OURS]), ORDERING: Turns(loads.orders, [OURS])}
    contenders = {READING: (TUTORIAL_BY_ORM, TUTORIAL, OURS, IN_TURN), ORDERING: (TUTORIAL, OURS)}
    return [
        Experiment(
            f"production-{kind}-{figure.partition('/')[0]}",
            f"The whole stack, {request.replace('`', '')}: {TITLES[figure]}",
            f"{request}, {CONNECTIONS} connections that are kept, {ORDERS:,} orders in the database, {ABOUT}",
            UNITS[figure],
            [turns[kind].contender(each, f"{kind}: {figure}") for each in contenders[kind]],
            [
                *(_against(each.name, figure) for each in contenders[kind] if each in TUTORIALS and figure != MIDDLE),
                *([_against_the_client(loads)] if (kind, figure) == (READING, PER_SECOND) else []),
            ],
        )
        for kind, request in REQUESTS.items()
        for figure in UNITS
    ]


def _against(tutorial: str, figure: str) -> Aim:
    sentence = f"{figure} against {tutorial}"
    if figure == PER_SECOND:
        return Aim(sentence, lambda m: m.ratio(OURS.name, tutorial), 2.3, at_least=True)
    return Aim(sentence, lambda m: m.ratio(OURS.name, tutorial), 0.35)


def _against_the_client(loads: Loads) -> Aim:
    return Aim(
        "what the client can send against it", lambda m: median(loads.ceiling) / m.typical(OURS.name), 3, at_least=True
    )


def worker_classes(loads: Loads) -> list[Experiment]:
    turns = Turns(loads.reads_beside_orders_that_wait, [variants.TAKEN])
    named = [
        (f"{READING}: {PER_SECOND}", "Servers: reads", f"{REQUESTS[READING]}."),
        (f"{READING}: {SLOW}", "Servers: p99 of reads", f"{REQUESTS[READING]}."),
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


def growth(loads: Loads) -> list[Experiment]:
    turns = Turns(loads.reads, variants.GROWTH)
    return [
        Experiment(
            f"production-growth-{figure.partition('/')[0]}",
            "Growth by replicas: " + TITLES[figure],
            f"{REQUESTS[READING]}. A replica may use {variants.SHARE} of a processor, so that all of them together "
            "leave one to nginx, PostgreSQL and the client.",
            UNITS[figure],
            [turns.contender(each, f"{READING}: {figure}") for each in variants.GROWTH],
        )
        for figure in (PER_SECOND, SLOW)
    ]


def starting(starts: Starts) -> Experiment:
    return Experiment(
        "production-start",
        f"Starting the stack with {REPLICAS} replicas",
        "The images are built and the volumes are there; until all is healthy.",
        "s",
        [Contender(BARE, starts.bare), Contender(UP, starts.up, ours=True)],
        [Aim(f"{UP} against {BARE}", lambda m: m.ratio(UP, BARE), 1.3)],
    )


def building(starts: Starts) -> Experiment:
    return Experiment(
        "production-build",
        "Building the image again",
        "The image was built before.",
        "s",
        [Contender(UNCHANGED, starts.build), Contender(CHANGED, starts.rebuild, ours=True)],
        [Aim(CHANGED, lambda m: m.typical(CHANGED), 5, "s")],
    )
