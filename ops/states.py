"""The states that a scenario's server keeps: every loaded one as a template, and the database that is worked on.

A template's name is the fingerprint of what it was made from; it gets that name when it is whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from ops import cluster
from ops.cluster import Cluster
from ops.configuration import Configuration

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


class States:
    def __init__(self, server: Cluster) -> None:
        self._cluster = server
        self._worked_on = server.configuration["APPLICATION_DB"]

    def current(self) -> State | None:
        """Of which state the database that is worked on was made; None where there is none."""
        described = self._cluster.described(self._worked_on).get(self._worked_on)
        return State(**described) if described else None

    def kept(self) -> list[State]:
        return [State(**described) for described in self._cluster.described(LOADED).values()]

    def clone(self, state: State, name: str = "") -> None:
        """In the place of what was worked on, under whoever is connected to it."""
        name = name or self._worked_on
        self._cluster.drop(name)
        self._cluster.copy(state.template, name)
        self._cluster.describe(name, asdict(state))

    def drop(self, *names: str) -> None:
        self._cluster.drop(*names)

    @contextmanager
    def loading(self, state: State) -> Iterator[str]:
        """An empty database to load; kept as a template once the load is whole, else dropped."""
        self._cluster.drop(LOADING)  # of a load that was killed
        self._cluster.create(LOADING)
        try:
            yield LOADING
        except BaseException:
            self._cluster.drop(LOADING)
            raise
        self._cluster.keep(LOADING, state.template, asdict(state))


@contextmanager
def opened(configuration: Configuration) -> Iterator[States]:
    """Raises Exit, with the reason in a line, where the server cannot be used."""
    with cluster.opened(configuration) as server:
        yield States(server)
