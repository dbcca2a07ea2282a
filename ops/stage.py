"""A scenario's PostgreSQL, worked on alone, and what is loaded into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from invoke.exceptions import Exit

from ops import configuration, environment, scenario_server, shell, states, stories
from ops.configuration import Configuration
from ops.scenario_server import Server
from ops.states import State
from ops.stories import Story

SEED = 1


@dataclass(frozen=True)
class Scenario:
    """One whose PostgreSQL runs."""

    story: Story
    configuration: Configuration
    """Leads to the database that is worked on."""
    server: Server
    started: bool
    """Whether this task has started it."""


@contextmanager
def at_work(name: str) -> Iterator[Scenario]:
    """Alone with a scenario, whose server is up. One that was started for work that failed is ended again."""
    from filelock import FileLock, Timeout

    story, development = stories.find(name), settings()
    scenario_server.FOLDER.mkdir(parents=True, exist_ok=True)
    lock = FileLock(scenario_server.FOLDER / f"{name}.lock")
    with shell.interruptible():
        try:
            lock.acquire(timeout=0)
        except Timeout:
            shell.note(f"another task is at work on {name}: waiting for it")
            lock.acquire()
        with lock:
            scenario = _up(story, development)
            try:
                yield scenario
            except BaseException:
                if scenario.started:
                    with shell.uninterrupted():
                        scenario.server.stop()
                raise


def state(story: Story, size: int | None, seed: int) -> State:
    """Raises Exit for a size that the story cannot have."""
    if size is not None and story.size is None:
        raise Exit(f"--size: {story.name} is always the same size", code=1)
    size = size or story.size
    return State(stories.fingerprint(story, size, seed), size, seed)


def load(scenario: Scenario, wanted: State, kept: states.States, code: Path | None = None) -> bool:
    """Returns whether that was to be done: what is kept already can be cloned. `code` is where else it comes from."""
    if wanted in kept.kept():
        return False
    size = [] if wanted.size is None else ["--size", str(wanted.size)]
    with kept.loading(wanted) as name:
        variables = {**scenario.configuration.environment, "APPLICATION_DB": name}
        shell.serve(shell.python("alembic", "--quiet", "upgrade", "head"), variables, folder=code)
        shell.serve(
            shell.python("scenarios", scenario.story.name, *size, "--seed", str(wanted.seed)),
            variables,
            folder=code,
        )
    return True


def leading_to(port: int) -> Configuration:
    environment.drop_tls()
    return settings().changed("where the scenario runs", POSTGRES_HOST="localhost", POSTGRES_PORT=port)


def settings() -> Configuration:
    return configuration.load("development", environ={})


def _up(story: Story, settings: Configuration) -> Scenario:
    running = scenario_server.running(story.name)
    if running:
        server, port = running
    else:
        server, why = scenario_server.best(story.name, settings)
        shell.note(f"starting {server.described}, {why}")
        try:
            port = server.start(settings)
        except BaseException:
            with shell.uninterrupted():
                server.stop()
            raise
    return Scenario(story, leading_to(port), server, started=running is None)
