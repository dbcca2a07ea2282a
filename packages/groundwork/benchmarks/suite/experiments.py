"""Experiments of the test benchmark, with contenders and targets."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from groundwork.system import paths
from packages.groundwork.benchmarks.measure import Aim, Contender, Experiment, Failed
from packages.groundwork.benchmarks.suite import runs

MOST_TESTS_A_ROUND = 100  # maximum, for experiments that take a median of tests
ENOUGH_TESTS = 1000  # minimum for targets of a whole suite; with fewer, pytest's start dominates
PAUSE = 0.05  # seconds; enough to create the next database in advance

Environment = Mapping[str, str]

SESSION = "`session`: a transaction, rolled back"
COMMITTING = "`committing_session`: real commits, DELETE"
CLONE = "`database`: a clone"
TRUNCATE = "TRUNCATE … RESTART IDENTITY CASCADE"
TABLES = "create_all() + drop_all()"
PYTEST_POSTGRESQL = "pytest-postgresql, from a template"
TUTORIAL = "create_all() + drop_all(), an app a test"
NO_DATABASE = "no database"


def isolation(server: Environment, tests: int, place: str) -> Experiment:
    modules = ["on_disk"] if place == "on disk" else []
    tests = min(tests, MOST_TESTS_A_ROUND)

    def a_test(run: runs.Run, name: str, ours: bool = False) -> Contender:
        return Contender(name, lambda: run.milliseconds_a_test(tests), ours)

    return Experiment(
        f"isolation-{place.replace(' ', '-')}",
        f"Isolation, {place}",
        "The time that the isolation adds to each test, compared with the same test on a database that is never "
        "cleaned.",
        "ms",
        [
            a_test(runs.theirs("nothing", server), "nothing"),
            a_test(runs.ours(*modules), SESSION, ours=True),
            a_test(runs.ours("committing", *modules), COMMITTING, ours=True),
            a_test(runs.ours("clone", *modules), CLONE, ours=True),
            a_test(runs.theirs("truncate", server), TRUNCATE),
            a_test(runs.theirs("tables", server), TABLES),
            a_test(runs.theirs("pytest_postgresql", server), PYTEST_POSTGRESQL),
        ],
        [
            Aim("`session`", lambda m: m.typical(SESSION), 1, "ms"),
            Aim("create_all() + drop_all() against `session`", lambda m: m.ratio(TABLES, SESSION), 30, at_least=True),
            Aim("`committing_session`", lambda m: m.typical(COMMITTING), 1.5, "ms"),
            Aim("`database`", lambda m: m.typical(CLONE), 25, "ms"),
            Aim(
                "pytest-postgresql against `session`",
                lambda m: m.ratio(PYTEST_POSTGRESQL, SESSION),
                40,
                at_least=True,
            ),
        ]
        if place == "in memory"
        else [],
        over_the_floor=True,
    )


def waiting(tests: int) -> Experiment:
    tests = min(tests, MOST_TESTS_A_ROUND)
    back_to_back, with_pauses = "back to back", f"{PAUSE * 1000:.0f} ms apart"
    clone = runs.ours("clone")
    return Experiment(
        "waiting",
        "Waiting for a clone",
        "The setup time of a test with the fixture `database`, if such tests follow each other, and with other tests "
        "in between.",
        "ms",
        [
            Contender(SESSION, lambda: runs.ours().milliseconds_a_test(tests, "setup")),
            Contender(with_pauses, lambda: clone.milliseconds_a_test(tests, "setup", PAUSE), ours=True),
            Contender(back_to_back, lambda: clone.milliseconds_a_test(tests, "setup"), ours=True),
        ],
        [Aim("`database`, made ahead", lambda m: m.typical(with_pauses), 8, "ms")],
    )


def suite(server: Environment, tests: int, workers: int) -> Experiment:
    arguments = ["-n", str(workers)] if workers > 1 else []

    def all_of(run: runs.Run, name: str, ours: bool = False) -> Contender:
        return Contender(name, lambda: run.seconds(tests), ours)

    return Experiment(
        f"suite-{workers}",
        f"{tests:,} tests, {'one process' if workers == 1 else f'{workers} workers'}",
        "From the start of pytest to its end. Ours start their own PostgreSQL; for the others it is already running.",
        "s",
        [
            all_of(runs.without_database(arguments=arguments), NO_DATABASE),
            all_of(runs.ours(arguments=arguments), SESSION, ours=True),
            all_of(runs.ours("committing", arguments=arguments), COMMITTING, ours=True),
            all_of(runs.theirs("tutorial", server, arguments), TUTORIAL),
            all_of(runs.theirs("pytest_postgresql", server, arguments), PYTEST_POSTGRESQL),
        ],
        [
            Aim("`session` against no database", lambda m: m.ratio(SESSION, NO_DATABASE), 3.5),
            Aim("the tutorial's way against `session`", lambda m: m.ratio(TUTORIAL, SESSION), 8, at_least=True),
        ]
        if workers == 1 and tests >= ENOUGH_TESTS
        else [],
    )


def embedded(folder: Path) -> Experiment:
    bare, initdb, ours = "`postgres` alone, on data that is there", "initdb, `postgres`", "ours, migrated"
    return Experiment(
        "embedded",
        "To the first query, embedded",
        "In memory, from no server to the result of SELECT 1.",
        "ms",
        [
            _first_query(bare, "bare", folder),
            _first_query(ours, "ours", folder, runs.NO_ENGINE, is_ours=True),
            _first_query(initdb, "initdb", folder),
        ],
        [
            Aim("ours against `postgres` alone", lambda m: m.ratio(ours, bare), 3),
            Aim("initdb against ours", lambda m: m.ratio(initdb, ours), 5, at_least=True),
        ],
    )


def container(folder: Path) -> Experiment:
    bare, plain, ours = "`docker run`, on data that is there", "testcontainers' PostgresContainer", "ours, migrated"
    return Experiment(
        "container",
        "To the first query, in a container",
        "The image is already pulled. testcontainers' PostgresContainer is used as documented, except for its reaper.",
        "ms",
        [
            _first_query(bare, "docker_run", folder),
            _first_query(ours, "ours", folder, is_ours=True),
            _first_query(plain, "testcontainers", folder),
        ],
        [Aim("ours against `docker run`", lambda m: m.ratio(ours, bare), 1.3)],
    )


def one_test() -> Experiment:
    without, reused, started = "no database, the app imported", "`session`, `--reuse`, a later run", "`session`"
    reuse = ["--reuse"]
    return Experiment(
        "one-test",
        "A run of one test",
        "From the start of pytest to its end.",
        "s",
        [
            Contender(NO_DATABASE, lambda: runs.without_database().seconds(1)),
            Contender(without, lambda: runs.without_database("app_alone").seconds(1)),
            Contender(reused, lambda: runs.ours(arguments=reuse).seconds(1), ours=True, has_to_be_made=True),
            Contender(started, lambda: runs.ours().seconds(1), ours=True),
        ],
        [Aim("`--reuse` over no database", lambda m: m.typical(reused) - m.typical(without), 0.3, "s")],
    )


def start_of_pytest() -> Experiment:
    bare, ours = "without the plugins that load themselves", "as it is"
    # pyproject.toml has an option of pytest_timeout, so that pytest does not start without it.
    plugins = [runs.OURS, "pytest_timeout"]
    no_plugins = runs.Run("test_no_database.py", plugins, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    return Experiment(
        "start-of-pytest",
        "The start of pytest",
        "One test, without a database.",
        "s",
        [
            Contender(bare, lambda: no_plugins.seconds(1)),
            Contender(ours, lambda: runs.without_database().seconds(1), ours=True),
        ],
        [Aim("with plugins against without", lambda m: m.ratio(ours, bare), 1.15)],
    )


def _first_query(
    name: str, way: str, folder: Path, more: Environment | None = None, is_ours: bool = False
) -> Contender:
    def sample() -> float:
        command = [sys.executable, "-m", "packages.groundwork.benchmarks.suite.first_query", way, str(folder)]
        finished = subprocess.run(
            command,
            cwd=paths.ROOT,
            env={**os.environ, **(more or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            raise Failed(f"{' '.join(command)}\n{finished.stdout}{finished.stderr}")
        return float(finished.stdout.split()[-1])

    return Contender(name, sample, is_ours, has_to_be_made=way in ("ours", "docker_run"))
