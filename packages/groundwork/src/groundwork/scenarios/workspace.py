"""Exclusive access to a scenario's PostgreSQL, and loading of its data."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groundwork import project_commands
from groundwork.configuration import loader
from groundwork.configuration.loader import Configuration
from groundwork.scenarios import catalog
from groundwork.scenarios import server as scenario_server
from groundwork.scenarios.catalog import ScenarioSpec
from groundwork.scenarios.server import Server
from groundwork.scenarios.templates import State, TemplateStore
from groundwork.system import environment, shell
from groundwork.system.errors import Exit

LOADING = "groundwork.scenarios.loading"
SEED = 1
STARTER = "starter"


@dataclass(frozen=True)
class RunningScenario:
    """A scenario whose PostgreSQL is running."""

    spec: ScenarioSpec
    configuration: Configuration
    """Has the address of the working database."""
    server: Server
    started: bool
    """Whether this task has started the server."""


@contextmanager
def exclusive(name: str) -> Iterator[RunningScenario]:
    """Lock a scenario and start its server. After an error, stop a server that was started here."""
    from filelock import FileLock, Timeout

    spec, development = catalog.find(name), settings()
    scenario_server.FOLDER.mkdir(parents=True, exist_ok=True)
    lock = FileLock(scenario_server.FOLDER / f"{name}.lock")
    with shell.interruptible():
        try:
            lock.acquire(timeout=0)
        except Timeout:
            shell.note(f"another task is using scenario {name}: waiting for it")
            lock.acquire()
        with lock:
            scenario = _start(spec, development)
            try:
                yield scenario
            except BaseException:
                if scenario.started:
                    with shell.uninterrupted():
                        scenario.server.stop()
                raise


def state(spec: ScenarioSpec, size: int | None, seed: int) -> State:
    """Return the state for the size, by default the scenario's own. Raises Exit if its size is fixed."""
    if size is not None and spec.size is None:
        raise Exit(f"--size: the size of {spec.name} is fixed: leave the option out", code=1)
    size = size or spec.size
    return State(catalog.fingerprint(spec, size, seed), size, seed)


def load(scenario: RunningScenario, wanted: State, store: TemplateStore, code: Path | None = None) -> bool:
    """Load the state into a template; return False if it exists. `code` is the folder of another version's code."""
    if wanted in store.states():
        return False
    size = [] if wanted.size is None else ["--size", str(wanted.size)]
    with store.loading(wanted) as name:
        variables = loader.with_database(scenario.configuration.environment, name)
        shell.serve(project_commands.migrate(), variables, folder=code)
        shell.serve(
            shell.python(LOADING, scenario.spec.name, *size, "--seed", str(wanted.seed)),
            variables,
            folder=code,
        )
    return True


def load_starter(configuration: Configuration) -> None:
    """Load the scenario `starter`, if the project has it. It changes nothing in a database with rows."""
    if catalog.has(STARTER):
        shell.run(shell.python(LOADING, STARTER), configuration.environment)


def configuration_for(port: int) -> Configuration:
    environment.drop_tls()
    return settings().with_values("the scenario's server", POSTGRES_HOST="localhost", POSTGRES_PORT=port)


def settings() -> Configuration:
    return loader.load("development", environ={})


def _start(spec: ScenarioSpec, settings: Configuration) -> RunningScenario:
    running = scenario_server.running(spec.name)
    if running:
        server, port = running
    else:
        server, reason = scenario_server.choose(spec.name, settings)
        shell.note(f"starting {server.description}, {reason}")
        try:
            port = server.start(settings)
        except BaseException:
            with shell.uninterrupted():
                server.stop()
            raise
    return RunningScenario(spec, configuration_for(port), server, started=running is None)
