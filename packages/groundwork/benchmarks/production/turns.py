"""Measurements that yield several figures at once."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence

from packages.groundwork.benchmarks.measure import Contender
from packages.groundwork.benchmarks.production.stacks import Variant

Figures = Mapping[str, float]


class Turns:
    """Shared measurements: the first contender takes them; later ones use their other figures, round by round."""

    def __init__(self, take: Callable[[Variant], Figures], ours: Sequence[Variant]) -> None:
        self._take = take
        self._ours = ours
        self._told: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    def contender(self, variant: Variant, figure: str) -> Contender:
        return Contender(variant.name, lambda: self._sample(variant, figure), variant in self._ours)

    def _sample(self, variant: Variant, figure: str) -> float:
        if not self._told[variant.name, figure]:
            for name, value in self._take(variant).items():
                self._told[variant.name, name].append(value)
        return self._told[variant.name, figure].popleft()
