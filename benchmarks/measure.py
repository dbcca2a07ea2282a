"""Contenders, measured in turn: A B C A B C …, so that a machine that slows down slows all of them down."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

SMALLEST = 0.1


class Failed(Exception):
    """A contender that does not work, with what it printed."""


@dataclass(frozen=True)
class Contender:
    name: str
    sample: Callable[[], float]
    """One measurement, in the experiment's unit; raises where the contender does not work."""
    ours: bool = False
    has_to_be_made: bool = False
    """Whether the very first sample also makes what the later ones find, and so does not count."""


@dataclass(frozen=True)
class Aim:
    """What was set out to reach: `limit` is the most that `actual` may be, or the least."""

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
    """The first is the floor; the first of ours is the one that the others are compared with."""
    aims: Sequence[Aim] = ()
    over_the_floor: bool = False
    """Whether the floor is taken from every figure, round by round."""
    rounds: int | None = None
    """Its own, where one takes long and chance has little part in it."""


@dataclass(frozen=True)
class Measured:
    experiment: Experiment
    samples: dict[str, list[float]] = field(default_factory=dict)

    @cached_property
    def figures(self) -> dict[str, list[float]]:
        """A figure a round for each contender."""
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
        """Of the medians; a difference that is too small to be seen counts as a tenth of the unit."""
        least = SMALLEST if self.experiment.over_the_floor else 0
        return max(self.typical(name), least) / max(self.typical(to), least)


def steps(experiment: Experiment, measured: Measured) -> Iterator[str]:
    """Take a round; yields the name of each contender before its turn."""
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
    """Three digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.2f}"
