"""Experiments of the scenario benchmark, with contenders and targets."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from packages.groundwork.benchmarks.copies import BARE, DSLR, DUMP, Copies
from packages.groundwork.benchmarks.measure import Aim, Contender, Experiment, Measured, seconds
from packages.groundwork.benchmarks.place import Checkout, Server
from packages.groundwork.benchmarks.scenarios.loads import MILLION, Loads, by_command

OURS = "`inv scenario`: made, copied, built"
PSQL = "psql \\copy of files, built after"
INTO_INDEXES = "COPY into the indexes"
ADD_ALL = "session.add_all()"
ENOUGH_ROWS = 500_000  # minimum for a target per million rows

AGAIN, RESET = "`inv scenario`, the second time", "`inv scenario.reset`"


def loading(server: Server, folder: Path, size: int) -> Experiment:
    loads, few = Loads(server, folder, size), Loads(server, folder, max(size // 100, 100))

    def ours() -> float:
        start = time.perf_counter()
        loaded = loads.ours()
        return (time.perf_counter() - start) / loaded.rows * MILLION

    return Experiment(
        "loading",
        f"Loading `orders` with {size:,} orders",
        "Orders, their lines, users and products. At the end every index and constraint is in place and valid, and "
        "ANALYZE has run. Ours also generates the rows, in Python; psql reads them from files.",
        "s/million rows",
        [
            Contender(PSQL, loads.psql),
            Contender(OURS, ours, ours=True),
            Contender(INTO_INDEXES, loads.copy_into_indexes),
            Contender(ADD_ALL, few.add_all),
        ],
        [
            Aim("rows a second", lambda m: MILLION / m.typical(OURS), 300_000, "rows/s", at_least=True),
            Aim("COPY into the indexes against ours", lambda m: m.ratio(INTO_INDEXES, OURS), 3, at_least=True),
            Aim("session.add_all() against ours", lambda m: m.ratio(ADD_ALL, OURS), 40, at_least=True),
            Aim("the speed of ours, psql's being 1", lambda m: m.ratio(PSQL, OURS), 0.6, "", at_least=True),
        ]
        if size * 3 >= ENOUGH_ROWS
        else [],
    )


def steps(server: Server, folder: Path, size: int) -> Experiment:
    """Return the experiment on load steps: each round is one load, and each contender is one step of it."""
    loads = Loads(server, folder, size)
    spent: dict[str, float] = {}

    def step(name: str) -> Callable[[], float]:
        def sample() -> float:
            if name not in spent:
                spent.clear()
                spent.update(loads.ours().seconds)
            return spent.pop(name)

        return sample

    names = ["making and copying rows", "indexes", "foreign keys", "statistics and sequences"]
    return Experiment(
        "loading-steps",
        f"Where the time goes, {size:,} orders",
        "Two processes generate rows while PostgreSQL loads the previous ones.",
        "s",
        [Contender(name, step(name), ours=True) for name in names],
    )


def growth(server: Server, sizes: Sequence[int]) -> list[Experiment]:
    """Return the experiments on time and memory, which measure the same loads."""
    taken: dict[int, tuple[float, float]] = {}

    def taking(size: int) -> Callable[[], float]:
        def sample() -> float:
            taken[size] = by_command(server, size)
            return taken[size][0]

        return sample

    def named(size: int) -> str:
        return f"{size:,} orders"

    return [
        Experiment(
            "loading-growth",
            "Loading, by size",
            "`python -m groundwork.scenarios.loading orders`, including its start, most of the time for small sizes.",
            "s",
            [Contender(named(size), taking(size), ours=True) for size in sizes],
        ),
        Experiment(
            "loading-memory",
            "Memory while loading, by size",
            "Memory of the loading process and of the two that generate rows, without PostgreSQL's.",
            "MB",
            [Contender(named(size), lambda size=size: taken[size][1], ours=True) for size in sizes],  # type: ignore[misc]
            [Aim("the largest", lambda m: m.typical(named(sizes[-1])), 200, "MB")],
        ),
    ]


def again(server: Server, checkout: Checkout, folder: Path, size: int) -> Experiment:
    """Return the experiment on restoring a loaded scenario. Load both seeds first."""
    seeds = [1, 2]

    def up(seed: int) -> None:
        checkout.inv("scenario", "--name", "orders", "--size", str(size), "--seed", str(seed))

    def second_time() -> float:
        seeds.reverse()
        return seconds(lambda: up(seeds[0]))

    copies = Copies(server, "loaded", folder)
    Loads(server, folder, size).load_into("loaded")
    for seed in seeds:
        up(seed)
    return Experiment(
        "scenario-again",
        f"Having `orders` with {size:,} orders again",
        "The server is running. The time of a task is that of its whole command.",
        "s",
        [
            Contender(BARE, copies.bare),
            Contender(AGAIN, second_time, ours=True),
            Contender(RESET, lambda: seconds(lambda: checkout.inv("scenario.reset", "--name", "orders")), ours=True),
            Contender(DSLR, copies.dslr),
            Contender(DUMP, copies.dump_and_restore),
        ],
        [
            Aim("the second time over 1.3 × the bare statement", partial(_over_bare, AGAIN), 0.3, "s"),
            Aim("reset over 1.3 × the bare statement", partial(_over_bare, RESET), 0.3, "s"),
            Aim("pg_dump and pg_restore against the second time", lambda m: m.ratio(DUMP, AGAIN), 10, at_least=True),
        ],
    )


def _over_bare(name: str, measured: Measured) -> float:
    return measured.typical(name) - 1.3 * measured.typical(BARE)
