"""Experiments of the production benchmark, with contenders and targets."""

from statistics import median

from packages.groundwork.benchmarks.measure import Aim, Contender, Experiment
from packages.groundwork.benchmarks.production import variants
from packages.groundwork.benchmarks.production.loads import (
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
from packages.groundwork.benchmarks.production.starts import BARE, CHANGED, REPLICAS, UNCHANGED, UP, Starts
from packages.groundwork.benchmarks.production.turns import Turns
from packages.groundwork.benchmarks.production.variants import LEAST_BUSY, NGINX_ALONE, OURS, TUTORIAL

UNITS = {PER_SECOND: "requests/s", MIDDLE: "p50, ms", SLOW: "p99, ms"}
TITLES = {PER_SECOND: "requests a second", MIDDLE: "p50", SLOW: "p99"}
REQUESTS = {READING: "`GET /api/orders?limit=20`", ORDERING: "`POST /api/orders`"}

ABOUT = (
    "All candidates run the same service. The tutorial's servers: "
    "`gunicorn -w 4`, nginx with one process and a new connection for each request. Ours: the stack of `inv prod.up`, "
    "without the limit of writes per address."
)


def ceiling(loads: Loads) -> Experiment:
    return Experiment(
        "production-client",
        "What the client can send",
        "Reads from an nginx that serves a file. The client runs on the same processors as the measured server.",
        "requests/s",
        [Contender(NGINX_ALONE.name, lambda: loads.of_nginx_alone(NGINX_ALONE), ours=True)],
    )


def whole_stack(loads: Loads) -> list[Experiment]:
    """Return the experiments: reads before orders, because reads return the newest orders."""
    turns = {READING: Turns(loads.reads, [OURS]), ORDERING: Turns(loads.orders, [OURS])}
    contenders = {READING: (TUTORIAL, OURS, LEAST_BUSY), ORDERING: (TUTORIAL, OURS)}
    return [
        Experiment(
            f"production-{kind}-{figure.partition('/')[0]}",
            f"The whole stack, {request.replace('`', '')}: {TITLES[figure]}",
            f"{request}, {CONNECTIONS} keep-alive connections, {ORDERS:,} orders in the database. {ABOUT}",
            UNITS[figure],
            [turns[kind].contender(each, f"{kind}: {figure}") for each in contenders[kind]],
            [
                *([] if figure == MIDDLE else [_against(TUTORIAL.name, figure)]),
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
            f"{REQUESTS[READING]}, while {WAITING} orders wait for products that another transaction has locked.",
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
            f"{REQUESTS[READING]}. Each replica may use {variants.SHARE} of a processor, so that all of them "
            "together leave one processor to nginx, PostgreSQL and the client.",
            UNITS[figure],
            [turns.contender(each, f"{READING}: {figure}") for each in variants.GROWTH],
        )
        for figure in (PER_SECOND, SLOW)
    ]


def starting(starts: Starts) -> Experiment:
    return Experiment(
        "production-start",
        f"Starting the stack with {REPLICAS} replicas",
        "The images and volumes exist. The time until all containers are healthy.",
        "s",
        [Contender(BARE, starts.bare), Contender(UP, starts.up, ours=True)],
        [Aim(f"{UP} against {BARE}", lambda m: m.ratio(UP, BARE), 1.3)],
    )


def building(starts: Starts) -> Experiment:
    return Experiment(
        "production-build",
        "Building the image again",
        "The image has been built before.",
        "s",
        [Contender(UNCHANGED, starts.build), Contender(CHANGED, starts.rebuild, ours=True)],
        [Aim(CHANGED, lambda m: m.typical(CHANGED), 5, "s")],
    )
