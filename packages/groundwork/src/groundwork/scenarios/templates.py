"""Databases on a scenario's server: a template for each loaded state, and a working database cloned from one.

A template is named after the fingerprint of its state, and renamed to it only when the load is complete.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from groundwork.configuration.loader import Configuration
from groundwork.postgresql import cluster
from groundwork.postgresql.cluster import Cluster

LOADED, LOADING = "loaded_", "loading"


@dataclass(frozen=True)
class State:
    fingerprint: str
    size: int | None
    seed: int

    @property
    def template(self) -> str:
        return f"{LOADED}{self.fingerprint}"

    def __str__(self) -> str:
        return f"seed {self.seed}" if self.size is None else f"size {self.size:,}, seed {self.seed}"


class TemplateStore:
    def __init__(self, server: Cluster) -> None:
        self._cluster = server
        self._working = server.configuration["APPLICATION_DB"]

    def current(self) -> State | None:
        """Return the state that the working database was cloned from; None if there is no such database."""
        described = self._cluster.descriptions(self._working).get(self._working)
        return State(**described) if described else None

    def states(self) -> list[State]:
        """Return the states that have a template."""
        return [State(**described) for described in self._cluster.descriptions(LOADED).values()]

    def clone(self, state: State, name: str = "") -> None:
        """Replace a database, by default the working one, with a clone of the state's template; disconnect clients."""
        name = name or self._working
        self._cluster.drop(name)
        self._cluster.copy(state.template, name)
        self._cluster.describe(name, asdict(state))

    def drop(self, *names: str) -> None:
        self._cluster.drop(*names)

    @contextmanager
    def loading(self, state: State) -> Iterator[str]:
        """Yield the name of an empty database; it becomes the state's template, or is dropped after an error."""
        self._cluster.drop(LOADING)  # a killed load leaves it behind
        self._cluster.create(LOADING)
        try:
            yield LOADING
        except BaseException:
            self._cluster.drop(LOADING)
            raise
        self._cluster.make_template(LOADING, state.template, asdict(state))


@contextmanager
def connect(configuration: Configuration) -> Iterator[TemplateStore]:
    """Connect to the scenario's server. Raises Exit if it cannot be used."""
    with cluster.connect(configuration) as server:
        yield TemplateStore(server)
