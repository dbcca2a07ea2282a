"""Attempts by the second in which they ended."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from ops.load.attempt import Attempt


@dataclass(frozen=True)
class Moment:
    at: int
    """Seconds since the first attempt."""
    answered: int
    failed: int
    median: float
    slow: float
    """The slowest but for one of a hundred."""


def of(attempts: Sequence[Attempt]) -> list[Moment]:
    """A moment for each second, those too in which nothing ended."""
    if not attempts:
        return []
    begin = min(each.start for each in attempts)
    by_second: defaultdict[int, list[Attempt]] = defaultdict(list)
    for each in attempts:
        by_second[floor(each.end - begin)].append(each)
    return [_moment(second, by_second[second]) for second in range(max(by_second) + 1)]


def _moment(at: int, ended: Sequence[Attempt]) -> Moment:
    seconds = sorted(each.seconds for each in ended)
    failed = sum(each.failed for each in ended)
    return Moment(at, len(ended) - failed, failed, _share(seconds, 0.5), _share(seconds, 0.99))


def _share(ascending: Sequence[float], share: float) -> float:
    """The least that so many are not above; 0 of none."""
    return ascending[ceil(share * len(ascending)) - 1] if ascending else 0
