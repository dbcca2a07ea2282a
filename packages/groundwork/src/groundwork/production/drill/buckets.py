"""Attempts grouped by the second in which they ended."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from groundwork.production.load.attempt import Attempt


@dataclass(frozen=True)
class Moment:
    at: int
    """Seconds since the first attempt."""
    answered: int
    failed: int
    median: float
    slow: float
    """99th percentile of the seconds that an attempt took; `median` is the 50th."""


def of(attempts: Sequence[Attempt]) -> list[Moment]:
    """Return one moment for each second, including seconds in which no attempt ended."""
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
    """Return the nearest-rank percentile of sorted values; 0 if there are none."""
    return ascending[ceil(share * len(ascending)) - 1] if ascending else 0
