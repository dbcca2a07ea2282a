"""Experiments of the database benchmark, with contenders and targets."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from alembic.command import upgrade
from alembic.config import Config
from sqlalchemy import NullPool, create_engine

from groundwork.backups import snapshots
from groundwork.system import paths, shell
from packages.groundwork.benchmarks.copies import BARE, BARE_AGAIN, DSLR, DUMP, Copies
from packages.groundwork.benchmarks.measure import Aim, Contender, Experiment, Measured, seconds
from packages.groundwork.benchmarks.place import Server
from packages.groundwork.benchmarks.scenarios.loads import Loads

NO_WORK, TASK = "a task that does nothing", "`inv db.migrate`"
ALEMBIC, IN_PROCESS = "`alembic upgrade head`", "Alembic's API, in a process that has it"
SNAPSHOT, RESTORE, RESTORE_TASK = "a snapshot", "a restore", "`inv db.restore`"
RESTORE_AND_DROP = f"{RESTORE}, and what was there dropped"
ONE_AFTER_THE_OTHER = f"{NO_WORK}, then {ALEMBIC}"


def nothing_to_do(server: Server) -> Experiment:
    settings = _settings(server, server.new("migrated_again"))
    engine = create_engine(
        server.url("migrated_again").replace("postgresql", "postgresql+psycopg", 1), poolclass=NullPool
    )

    def in_process() -> float:
        with engine.connect() as connection:
            configured = Config(paths.ROOT / "alembic.ini", attributes={"connection": connection})
            return _milliseconds(lambda: upgrade(configured, "head"))

    return Experiment(
        "migrate-nothing",
        "Migrating, with nothing to do",
        "The database is at the head revision, and the server is running.",
        "ms",
        [
            Contender(NO_WORK, lambda: _milliseconds(lambda: _run(_inv("config.check"), settings))),
            Contender(TASK, lambda: _milliseconds(lambda: _run(_inv("db.migrate"), settings)), ours=True),
            Contender(
                ALEMBIC, lambda: _milliseconds(lambda: _run(shell.python("alembic", "upgrade", "head"), settings))
            ),
            Contender(IN_PROCESS, in_process, has_to_be_made=True),
        ],
        [
            Aim(f"{TASK} over {NO_WORK}", lambda m: m.typical(TASK) - m.typical(NO_WORK), 400, "ms"),
            Aim(IN_PROCESS, lambda m: m.typical(IN_PROCESS), 10, "ms"),
        ],
    )


def work(server: Server, many: int) -> Experiment:
    together, no_work_together = f"{many} at once", f"{many} tasks that do nothing, at once"

    def migrated(*commands: list[str]) -> Callable[[], float]:
        def sample() -> float:
            settings = _settings(server, server.new("to_migrate", "template0"))
            return seconds(lambda: _run_together(list(commands), settings))

        return sample

    def one_after_the_other() -> float:
        settings = _settings(server, server.new("to_migrate", "template0"))
        return seconds(lambda: _run(_inv("config.check"), settings)) + seconds(lambda: _run(alembic, settings))

    def over_all(measured: Measured) -> float:
        return measured.typical(together) - 1.5 * measured.typical(no_work_together)

    alembic = shell.python("alembic", "upgrade", "head")
    return Experiment(
        "migrate-work",
        "Migrating from nothing to the head",
        f"A task that starts while another one migrates waits, and then finds nothing to do. The {many} tasks share "
        "the machine's processors, and starting them takes most of the time.",
        "s",
        [
            Contender(ALEMBIC, migrated(alembic)),
            Contender(ONE_AFTER_THE_OTHER, one_after_the_other),
            Contender(TASK, migrated(_inv("db.migrate")), ours=True),
            Contender(no_work_together, migrated(*[_inv("config.check")] * many)),
            Contender(together, migrated(*[_inv("db.migrate")] * many), ours=True),
        ],
        [
            Aim(f"{TASK} against {ALEMBIC}", lambda m: m.ratio(TASK, ALEMBIC), 1.2),
            Aim(f"{TASK} against {ONE_AFTER_THE_OTHER}", lambda m: m.ratio(TASK, ONE_AFTER_THE_OTHER), 1.2),
            Aim(f"{together} over 1.5 × one", lambda m: m.typical(together) - 1.5 * m.typical(TASK), 1, "s"),
            Aim(f"{together} over 1.5 × {no_work_together}", over_all, 1, "s"),
        ],
    )


def keeping(server: Server, folder: Path, size: int) -> Experiment:
    Loads(server, folder, size).load_into("loaded")
    server.new("worked_on", template="loaded")
    copies = Copies(server, "loaded", folder)
    settings = server.configuration.with_values("the benchmark", APPLICATION_DB="worked_on")
    with snapshots.connect(settings) as kept:
        kept.take("kept")

    def take() -> float:
        copies.leave_room()
        with snapshots.connect(settings) as kept:
            took = seconds(lambda: kept.take("another"))
            kept.delete(kept.find("another"))
            return took

    def restore() -> float:
        copies.leave_room()
        with snapshots.connect(settings) as kept:
            return seconds(lambda: kept.restore(kept.find("kept")))

    def restore_and_drop() -> float:
        copies.leave_room()
        with ExitStack() as stack:
            kept = stack.enter_context(snapshots.connect(settings))
            return seconds(lambda: kept.restore(kept.find("kept"))) + seconds(stack.close)

    command = [*_inv("db.restore"), "--name", "kept"]
    environment = _settings(server, "worked_on")
    return Experiment(
        "snapshots",
        f"A database with {size:,} orders, as it was",
        "A snapshot is a copy under another name. A restore copies a snapshot, and replaces the database with the "
        "copy; the old database is dropped afterwards.",
        "s",
        [
            Contender(BARE, copies.bare),
            Contender(BARE_AGAIN, copies.bare_again),
            Contender(SNAPSHOT, take, ours=True),
            Contender(RESTORE, restore, ours=True),
            Contender(RESTORE_AND_DROP, restore_and_drop, ours=True),
            Contender(RESTORE_TASK, lambda: seconds(lambda: _run(command, environment)), ours=True),
            Contender(DSLR, copies.dslr),
            Contender(DUMP, copies.dump_and_restore),
        ],
        [
            Aim(f"{SNAPSHOT} against the bare statement", lambda m: m.ratio(SNAPSHOT, BARE), 1.2),
            Aim(f"{RESTORE} against the bare statement", lambda m: m.ratio(RESTORE, BARE), 1.2),
            Aim(f"{RESTORE_AND_DROP} against {BARE_AGAIN}", lambda m: m.ratio(RESTORE_AND_DROP, BARE_AGAIN), 1.2),
            Aim(f"{DUMP} against {RESTORE_AND_DROP}", lambda m: m.ratio(DUMP, RESTORE_AND_DROP), 10, at_least=True),
        ],
    )


def _settings(server: Server, database: str) -> dict[str, str]:
    """Return settings for an external server, so that tasks start none."""
    return {**server.environment, "APPLICATION_CONFIG": "testing", "APPLICATION_DB": database}


def _inv(task: str) -> list[str]:
    return [sys.executable, "-m", "invoke", task]


def _run(command: list[str], settings: Mapping[str, str]) -> None:
    _run_together([command], settings)


def _run_together(commands: list[list[str]], settings: Mapping[str, str]) -> None:
    """Run the commands in parallel. Raise RuntimeError if one fails."""
    running = [
        subprocess.Popen(command, cwd=paths.ROOT, env=shell.environment(settings), stdout=subprocess.DEVNULL)
        for command in commands
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError(f"{' '.join(commands[0])} exited with codes {codes}")


def _milliseconds(done: Callable[[], object]) -> float:
    return seconds(done) * 1000
