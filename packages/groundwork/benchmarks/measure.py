"""Measurements that interleave contenders (A B C A B C …), so that a slowdown of the machine affects all."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

SMALLEST = 0.1


class Failed(Exception):
    """Failure of a contender, with its output."""


@dataclass(frozen=True)
class Contender:
    name: str
    sample: Callable[[], float]
    """Measure once and return the value in the experiment's unit. Raise if the contender fails."""
    ours: bool = False
    has_to_be_made: bool = False
    """Whether the first sample creates what later samples reuse, and is therefore discarded."""


@dataclass(frozen=True)
class Aim:
    """Target of an experiment: `limit` is the maximum of `actual`, or the minimum if `at_least`."""

    sentence: str
    actual: Callable[["Measured"], float]
    limit: float
    unit: str = "×"
    at_least: bool = False


@dataclass(frozen=True)
class Experiment:
    name: str
    title: str
    about: str
    unit: str
    contenders: Sequence[Contender]
    """The first is the floor. The first of ours is the baseline of all ratios."""
    aims: Sequence[Aim] = ()
    over_the_floor: bool = False
    """Whether the floor is subtracted from every figure, round by round."""
    rounds: int | None = None
    """Fixed number of rounds, for slow experiments with little variance."""


@dataclass(frozen=True)
class Measured:
    experiment: Experiment
    samples: dict[str, list[float]] = field(default_factory=dict)

    @cached_property
    def figures(self) -> dict[str, list[float]]:
        """Return a figure per round for each contender."""
        if not self.experiment.over_the_floor:
            return self.samples
        floor, *others = self.samples
        return {
            name: [sample - least for sample, least in zip(self.samples[name], self.samples[floor], strict=True)]
            for name in others
        }

    def typical(self, name: str) -> float:
        return median(self.figures[name])

    def ratio(self, name: str, to: str) -> float:
        """Return the ratio of the medians; infinite if the divisor is zero, as with no answer in a short run.

        Differences over the floor count as at least a tenth of the unit.
        """
        least = SMALLEST if self.experiment.over_the_floor else 0
        divisor = max(self.typical(to), least)
        return max(self.typical(name), least) / divisor if divisor else math.inf


def steps(experiment: Experiment, measured: Measured) -> Iterator[str]:
    """Run a round. Yield the name of each contender before its turn."""
    for contender in experiment.contenders:
        yield contender.name
        if contender.has_to_be_made and contender.name not in measured.samples:
            contender.sample()
        measured.samples.setdefault(contender.name, []).append(contender.sample())


def seconds(done: Callable[[], object]) -> float:
    start = time.perf_counter()
    done()
    return time.perf_counter() - start


def number(value: float) -> str:
    """Format with about three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.2f}"
